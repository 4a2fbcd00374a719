// What processes hold: memory, and open files and sockets, of one and all that it has started (proc(5)).
import { readdir, readFile, readlink } from 'node:fs/promises';

export interface ProcessFigures {
  memoryMiB: number;
  files: number;
  /** Those of the files that are sockets of the network or between processes. */
  sockets: number;
}

/** Adds up a process and its children; what has ended counts nothing. */
export async function processFigures(pid: number): Promise<ProcessFigures> {
  const all = await Promise.all([pid, ...(await childrenOf(pid))].map(figuresOf));
  const sum = (of: (one: ProcessFigures) => number) =>
    all.reduce((total, one) => total + of(one), 0);
  return {
    memoryMiB: Math.round(sum(({ memoryMiB }) => memoryMiB)),
    files: sum(({ files }) => files),
    sockets: sum(({ sockets }) => sockets),
  };
}

export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

async function figuresOf(pid: number): Promise<ProcessFigures> {
  const [status, names] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''),
    readdir(`/proc/${pid}/fd`).catch(() => []),
  ]);
  const targets = await Promise.all(
    names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')),
  );
  return {
    memoryMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024,
    files: targets.filter(Boolean).length,
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
  };
}
