// Servers under test: each in processes of its own, whose time on the processor is read from the kernel.
import { assert } from '#contract';
import { type Command, startChild } from '../scripts/launch/child.ts';
import { cpuSecondsOf } from './cpu-time.ts';

const readyTimeoutMs = 60_000;
const readyAskMs = 50;
/** Of what it prints, for the case that it does not start. */
const linesKept = 20;

export interface Server {
  name: string;
  url: string;
  pid: number;
  /** What it and all that it has started have used of the processors so far, in seconds. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
  /** Kills it and all that it has started, as the death of its machine would. */
  kill(): Promise<void>;
}

/** Starts it and waits until it answers `/healthz`. `onLine` hears what it prints. */
export async function startServer(
  name: string,
  url: string,
  command: Command,
  onLine: (line: string) => void = () => undefined,
): Promise<Server> {
  const lines: string[] = [];
  const child = startChild(command, (line) => {
    lines.push(line);
    if (lines.length > linesKept) lines.shift();
    onLine(line);
  });
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    const answer = await fetch(`${url}/healthz`).catch(() => null);
    if (answer?.ok) break;
    if (performance.now() > deadline) {
      await child.kill();
      throw new Error(`${name} does not answer:\n${lines.join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, readyAskMs));
  }
  assert(child.pid !== undefined, 'whoever answers is running');
  return {
    name,
    url,
    pid: child.pid,
    cpuSeconds: () => cpuSecondsOf(child),
    async stop() {
      await child.stop();
    },
    async kill() {
      await child.kill();
    },
  };
}
