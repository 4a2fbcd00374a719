// A lock between processes, as a file that names its holder.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startStep } from './progress.mjs';

const POLL_MILLISECONDS = 300;
const UNREADABLE_MILLISECONDS = 5000;

/**
 * Runs `work` while no other process holds the lock. A lock whose holder is dead is ignored.
 * Two processes that find such a lock at the same moment can both get in; whatever is kept is put in
 * place by a rename, so the price of that is work done twice and nothing else.
 * @template T
 * @param {string} path
 * @param {string} waiting what to show while another process holds it
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, waiting, work) {
  mkdirSync(dirname(path), { recursive: true });
  /** @type {import('./progress.mjs').Step | undefined} */
  let step;
  while (!take(path)) {
    step ??= startStep(waiting);
    await delay(POLL_MILLISECONDS);
  }
  step?.drop();

  const release = () => rmSync(path, { force: true });
  process.once('exit', release); // An interrupted set-up releases it as well.
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

/** @param {string} path */
function take(path) {
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, born: bornAt(process.pid) }), {
      flag: 'wx',
    });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  try {
    const { pid, born } = JSON.parse(readFileSync(path, 'utf8'));
    // Ids are used again: the same number may be another program by now.
    if (!isAlive(pid) || bornAt(pid) !== born) rmSync(path, { force: true });
  } catch {
    removeIfOld(path);
  }
  return false; // The next round takes it.
}

/**
 * What cannot be read was released just now, or its holder has yet to write to it, or will never.
 * @param {string} path
 */
function removeIfOld(path) {
  const writtenAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  if (Date.now() - writtenAt > UNREADABLE_MILLISECONDS) rmSync(path, { force: true });
}

/**
 * When a process was started, in the clock ticks of the kernel; null where the kernel does not tell.
 * @param {number} pid
 * @returns {string | null}
 */
function bornAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in brackets, may hold spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
