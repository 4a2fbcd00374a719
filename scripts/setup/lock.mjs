// A lock between processes, as a file that names its holder.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startStep } from './progress.mjs';

const POLL_MILLISECONDS = 300;

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
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  let holder = Number.NaN;
  try {
    holder = Number.parseInt(readFileSync(path, 'utf8'), 10);
  } catch {
    return false; // Released just now: the next round takes it.
  }
  // An empty file is one that its holder has yet to write to.
  if (!Number.isNaN(holder) && !isAlive(holder)) rmSync(path, { force: true });
  return false;
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
