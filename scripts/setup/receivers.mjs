// The native WebRTC receivers of tests and benches: `node scripts/setup/receivers.mjs` prints their path.
//
// They are kept under the hash of their sources, so that a change of these is a program of its own.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachePath, inPlace } from './cache.mjs';
import { command } from './command.mjs';
import { isExecutable, onPath } from './executable.mjs';
import { obtain } from './found.mjs';
import { withLock } from './lock.mjs';
import { platform, rootDir, systemName } from './places.mjs';
import { startStep } from './progress.mjs';
import { exitWith } from './setup-error.mjs';

const PROGRAM = 'receivers';
const FLAGS = ['-std=c11', '-O2', '-Wall', '-Wextra'];
const LIBRARIES = ['-lssl', '-lcrypto', '-lsrtp2'];
const sources = join(rootDir, 'testing/receivers/native');

/** Debian's packages, each with a file that it brings. */
const HEADERS = {
  'libc6-dev': 'stdio.h',
  'libssl-dev': 'openssl/ssl.h',
  'libsrtp2-dev': 'srtp2/srtp.h',
};

/** Where the program belongs that these sources make. */
export function receiversPath() {
  const hash = createHash('sha256').update([...FLAGS, ...LIBRARIES].join(' '));
  for (const file of filesOf(/\.[ch]$/)) hash.update(basename(file)).update(readFileSync(file));
  const name = `${platform}-${systemName()}-${hash.digest('hex').slice(0, 16)}`;
  return join(cachePath('receivers', name), PROGRAM);
}

/** @returns {import('./found.mjs').Found} */
export function findReceivers() {
  const path = receiversPath();
  if (isExecutable(path)) return { path };
  return { packages: missing(), make: () => make(path) };
}

/** @param {RegExp} pattern */
function filesOf(pattern) {
  const names = existsSync(sources) ? readdirSync(sources) : [];
  return names.filter((name) => pattern.test(name)).map((name) => join(sources, name));
}

/** @returns {string[]} */
function missing() {
  const compiler = onPath('cc');
  if (!compiler) return ['gcc', ...Object.keys(HEADERS)];
  return Object.entries(HEADERS)
    .filter(([, header]) => {
      const input = `#include <${header}>\n`;
      return spawnSync(compiler, ['-E', '-xc', '-'], { input, stdio: 'pipe' }).status !== 0;
    })
    .map(([name]) => name);
}

/**
 * @param {string} path
 * @returns {Promise<string>}
 */
async function make(path) {
  const folder = join(path, '..');
  const waiting = 'Waiting for another set-up, which builds the receivers';
  await withLock(`${folder}.lock`, waiting, async () => {
    if (isExecutable(path)) return;
    const step = startStep('Building the receivers of the tests');
    try {
      await inPlace(folder, PROGRAM, async (scratch) => {
        const target = join(scratch, PROGRAM);
        await command('cc', [...FLAGS, '-o', target, ...filesOf(/\.c$/), ...LIBRARIES], {
          log: 'receivers',
          failure: 'The receivers of the tests could not be built.',
        });
        return true;
      });
      step.done('Built the receivers of the tests');
    } finally {
      step.drop();
    }
  });
  return path;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    console.log((await obtain({ receivers: findReceivers() })).receivers);
  } catch (error) {
    exitWith(error);
  }
}
