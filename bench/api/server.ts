// Servers under test: each in processes of its own, whose time on the processor is read from the kernel.
import { readdir, readFile } from 'node:fs/promises';
import { type Child, type Command, startChild } from '../../scripts/launch/child.ts';

/** Ticks of the kernel's clock in a second, the same on every Linux that we know. */
const ticksPerSecond = 100;
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

async function cpuSecondsOf({ pid }: Child): Promise<number> {
  const processes = await readProcesses();
  const family = new Set([pid]);
  // Children come after their parents, in whatever order the kernel lists them.
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const one of processes) if (family.has(one.parent)) family.add(one.pid);
  }
  const ticks = processes
    .filter((one) => family.has(one.pid))
    .reduce((sum, one) => sum + one.ticks, 0);
  return ticks / ticksPerSecond;
}

/** Every process, from proc(5): `pid (name) state ppid … utime stime …`. */
async function readProcesses(): Promise<{ pid: number; parent: number; ticks: number }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
      if (!text) return null;
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return {
        pid: Number(pid),
        parent: Number(fields[1]),
        ticks: Number(fields[11]) + Number(fields[12]),
      };
    }),
  );
  return read.filter((one) => one !== null);
}
