// Time on the processors of a process and its children, as the kernel counts it.
import { readdir, readFile } from 'node:fs/promises';
import type { Child } from '../scripts/launch/child.ts';

/** Ticks of the kernel's clock in a second, the same on every Linux that we know. */
const ticksPerSecond = 100;

/** What a process and all that it has started have used of the processors so far; what has ended does not count. */
export async function cpuSecondsOf({ pid }: Pick<Child, 'pid'>): Promise<number> {
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

/** What all processors together were busy with so far: user, nice, system and interrupts of proc(5). */
export async function busySeconds(): Promise<number> {
  const [all = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = all
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}
