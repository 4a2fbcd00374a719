// Servers under test: each in processes of its own, whose time on the processor is read from the kernel.
import { type Command, startChild } from '../scripts/launch/child.ts';
import { cpuSecondsOf } from './cpu-time.ts';

const readyTimeoutMs = 60_000;
const readyAskMs = 50;

export interface Server {
  name: string;
  url: string;
  /** What it and all that it has started have used of the processors so far, in seconds. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts it and waits until it answers `/healthz`. */
export async function startServer(name: string, url: string, command: Command): Promise<Server> {
  const lines: string[] = [];
  const child = startChild(command, (line) => lines.push(line));
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    const answer = await fetch(`${url}/healthz`).catch(() => null);
    if (answer?.ok) break;
    if (performance.now() > deadline) {
      await child.kill();
      throw new Error(`${name} does not answer:\n${lines.slice(-20).join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, readyAskMs));
  }
  return {
    name,
    url,
    cpuSeconds: () => cpuSecondsOf(child),
    async stop() {
      await child.stop();
    },
  };
}
