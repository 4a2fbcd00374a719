// Where things lie: the checkout, its working folder, and the cache that all checkouts share.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const rootDir = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Of this checkout, ignored by git: logs, stamps, local data. */
export const workDir = join(rootDir, '.livepanty');
export const logsDir = join(workDir, 'logs');
export const modulesDir = join(rootDir, 'node_modules');

/** Of this user, shared by all checkouts: what is slow to fetch or to build. */
export const cacheDir = resolve(
  process.env.LIVEPANTY_CACHE ||
    join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'livepanty'),
);

/** Such as "linux-x64", the way npm's packages and upstream's binaries spell it. */
export const platform = `${process.platform}-${process.arch}`;

/**
 * Such as "debian12". A binary that was built here is tied to the libraries of this very system.
 * @returns {string}
 */
export function systemName() {
  if (process.platform !== 'linux') return process.platform;
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    const field = (/** @type {string} */ name) =>
      new RegExp(`^${name}="?([\\w.-]*)`, 'm').exec(release)?.[1] ?? '';
    return `${field('ID')}${field('VERSION_ID')}` || 'linux';
  } catch {
    return 'linux'; // The file is optional, and the name only keeps different systems apart.
  }
}
