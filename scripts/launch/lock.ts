// Locks between processes: a file that names its holder, and is worth nothing once that one is dead.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const pollMs = 100;

const Holder = z.object({ pid: z.int(), born: z.string() });

export interface HeldLock {
  /** True when the last holder died without giving the lock back. */
  wasAbandoned: boolean;
  release(): Promise<void>;
}

/** Takes the lock, or answers the id of the living process that holds it. */
export async function takeLock(path: string): Promise<HeldLock | { heldBy: number }> {
  await mkdir(dirname(path), { recursive: true });
  let wasAbandoned = false;
  for (;;) {
    try {
      const holder = { pid: process.pid, born: (await bornAt(process.pid)) ?? '' };
      await writeFile(path, JSON.stringify(holder), { flag: 'wx' });
      return { wasAbandoned, release: () => rm(path, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = await readHolder(path);
    if (holder && (await isHolder(holder))) return { heldBy: holder.pid };
    wasAbandoned = true;
    await rm(path, { force: true });
  }
}

/** Runs `work` when no other process holds the lock; waits for one that does. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const lock = await takeLock(path);
    if ('heldBy' in lock) {
      await delay(pollMs);
      continue;
    }
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }
}

async function readHolder(path: string): Promise<z.infer<typeof Holder> | null> {
  // Twice: the file may be there a moment before its holder has written to it.
  for (let turn = 0; turn < 2; turn += 1) {
    try {
      return Holder.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch {
      // Released just now, being written, or broken.
      await delay(pollMs);
    }
  }
  return null;
}

async function isHolder(holder: z.infer<typeof Holder>): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
  }
  // Ids are used again: the same number may be another program by now.
  return holder.born === ((await bornAt(holder.pid)) ?? '');
}

/** When a process was started, in the clock ticks of the kernel; null where the kernel does not tell. */
async function bornAt(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The name of the program, in brackets, may hold spaces.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
