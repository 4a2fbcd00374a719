// The cache that all checkouts share: a folder appears in it whole or not at all.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isExecutable } from './executable.mjs';
import { isAlive } from './lock.mjs';
import { cacheDir } from './places.mjs';

const tmpDir = join(cacheDir, 'tmp');

/**
 * @param {...string} parts
 * @returns {string}
 */
export function cachePath(...parts) {
  return join(cacheDir, ...parts);
}

/**
 * Lets `make` fill a private folder and then puts it in its place with one rename.
 * @param {string} path where the folder belongs
 * @param {string} program what the folder is good for: its path in there
 * @param {(folder: string) => Promise<boolean>} make false: there is nothing worth keeping
 * @returns {Promise<boolean>} whether the folder is there now
 */
export function inPlace(path, program, make) {
  return withScratch(async (folder) => {
    if (!(await make(folder))) return false;
    mkdirSync(dirname(path), { recursive: true });
    try {
      renameSync(folder, path);
    } catch (error) {
      if (!existsSync(path)) throw error;
      // Someone else was faster, and theirs is as good as ours; or somebody has spoilt what was there.
      if (isExecutable(join(path, program))) return true;
      rmSync(path, { recursive: true, force: true });
      renameSync(folder, path);
    }
    return true;
  });
}

/**
 * @template T
 * @param {(folder: string) => Promise<T>} work gets a private folder, removed afterwards
 * @returns {Promise<T>}
 */
export async function withScratch(work) {
  sweep();
  mkdirSync(tmpDir, { recursive: true });
  // In the file system of the cache, for the rename, and named after us, for the sweep.
  const folder = mkdtempSync(join(tmpDir, `${process.pid}-`));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes what set-ups that were killed left behind. */
function sweep() {
  for (const name of existsSync(tmpDir) ? readdirSync(tmpDir) : []) {
    if (!isAlive(Number.parseInt(name, 10))) {
      rmSync(join(tmpDir, name), { recursive: true, force: true });
    }
  }
}
