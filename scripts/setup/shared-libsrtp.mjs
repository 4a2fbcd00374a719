// libsrtp 2 built on OpenSSL as a shared library, for the programs that the bench of the SFU measures
// beside the worker, which has it built in. Debian's is built on NSS and encrypts half as fast.

import { copyFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { cachePath, inPlace, withScratch } from './cache.mjs';
import { command } from './command.mjs';
import { isExecutable, onPath } from './executable.mjs';
import { withLock } from './lock.mjs';
import { platform, systemName } from './places.mjs';
import { startStep } from './progress.mjs';
import { SetupError } from './setup-error.mjs';
import { libsrtpOptions, unpackLibsrtp } from './worker/libsrtp.mjs';

const LIBRARY = 'libsrtp2.so.1';
/** Debian's packages, each with a program that it brings; the libraries are those of the receivers. */
const TOOLS = { gcc: 'cc', meson: 'meson', 'ninja-build': 'ninja', 'pkg-config': 'pkg-config' };

/** @returns {import('./found.mjs').Found} */
export function findSharedLibsrtp() {
  const folder = cachePath('libsrtp', `${platform}-${systemName()}`);
  const path = join(folder, LIBRARY);
  if (isExecutable(path)) return { path };
  const packages = Object.entries(TOOLS)
    .filter(([, program]) => !onPath(program))
    .map(([name]) => name);
  return { packages, make: () => make(folder) };
}

/**
 * @param {string} folder
 * @returns {Promise<string>}
 */
async function make(folder) {
  const path = join(folder, LIBRARY);
  const waiting = 'Waiting for another set-up, which builds libsrtp';
  await withLock(`${folder}.lock`, waiting, async () => {
    if (isExecutable(path)) return;
    const step = startStep('Building libsrtp');
    try {
      await inPlace(folder, LIBRARY, (target) => withScratch((scratch) => build(scratch, target)));
      step.done('Built libsrtp');
    } finally {
      step.drop();
    }
  });
  return path;
}

/**
 * @param {string} scratch
 * @param {string} target
 */
async function build(scratch, target) {
  const sources = join(scratch, 'sources');
  if (!(await unpackLibsrtp(sources, join(scratch, 'archive')))) {
    throw new SetupError('The sources of libsrtp cannot be had from here.');
  }
  const options = {
    log: 'shared-libsrtp',
    append: true,
    cwd: sources,
    failure: 'libsrtp could not be built.',
  };
  const args = ['--buildtype=release', '--default-library=shared', ...libsrtpOptions, 'build'];
  await command('meson', ['setup', ...args], { ...options, append: false });
  await command('ninja', ['-C', 'build'], options);
  copyFileSync(realpathSync(join(sources, 'build', LIBRARY)), join(target, LIBRARY));
  return true;
}
