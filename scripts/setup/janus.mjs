// Janus, which the bench of the SFU runs beside ours: the program of Debian's package, with its plugins.
//
// Unpacked and not installed, because the installed package starts a server on its usual ports, and
// starts it again with the machine.

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cachePath, inPlace } from './cache.mjs';
import { command, tryCommand } from './command.mjs';
import { installPackages, isDebianLike } from './debian.mjs';
import { fromEnvironment, isExecutable } from './executable.mjs';
import { withLock } from './lock.mjs';
import { platform, systemName } from './places.mjs';
import { startStep } from './progress.mjs';
import { SetupError } from './setup-error.mjs';

const LOG = 'janus';
const PROGRAM = 'usr/bin/janus';

/** @returns {import('./found.mjs').Found} */
export function findJanus() {
  const chosen = fromEnvironment('JANUS_BIN');
  if (chosen) return { path: chosen };
  const folder = cachePath('janus', `${platform}-${systemName()}`);
  const path = join(folder, PROGRAM);
  if (runs(path)) return { path };
  return { packages: [], make: () => make(folder) };
}

/**
 * Whether it is there and finds its libraries.
 * @param {string} path
 */
function runs(path) {
  return isExecutable(path) && spawnSync(path, ['--help'], { stdio: 'ignore' }).status === 0;
}

/**
 * @param {string} folder
 * @returns {Promise<string>}
 */
async function make(folder) {
  if (!isDebianLike()) throw new SetupError('Janus is not here: set JANUS_BIN to its path.');
  const path = join(folder, PROGRAM);
  await withLock(`${folder}.lock`, 'Waiting for another set-up, which fetches Janus', async () => {
    if (!isExecutable(path)) await inPlace(folder, PROGRAM, unpack);
  });
  const libraries = await command('dpkg-deb', ['--field', join(folder, 'janus.deb'), 'Depends'], {
    log: LOG,
    append: true,
    failure: "Debian's package of Janus cannot be read.",
  });
  await installPackages(libraries.split(',').map(nameOf).filter(isMissing));
  if (!runs(path)) throw new SetupError('Janus was unpacked but does not run on this system.');
  return path;
}

/** @param {string} folder */
async function unpack(folder) {
  const step = startStep('Fetching Janus');
  try {
    // The user that root's downloads are given to otherwise cannot write to our folders.
    const args = ['-o', 'APT::Sandbox::User=', 'download', 'janus'];
    const options = { log: LOG, append: true, cwd: folder };
    const failure = 'Janus cannot be fetched; run this and then try again: apt-get update';
    await tryCommand('apt-get', ['--version'], { log: LOG });
    await command('apt-get', args, { ...options, failure });
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb')) ?? '';
    await command('dpkg-deb', ['--extract', archive, '.'], { ...options, failure });
    await command('mv', [archive, 'janus.deb'], { ...options, failure });
    rmSync(join(folder, 'etc'), { recursive: true });
    step.done('Fetched Janus');
    return true;
  } finally {
    step.drop();
  }
}

/** @param {string} dependency such as " libnice10 (>= 0.1.16) | libnice" */
function nameOf(dependency) {
  return /[\w.+-]+/.exec(dependency)?.[0] ?? '';
}

/** @param {string} name */
function isMissing(name) {
  const args = ['--show', '--showformat', '$' + '{db:Status-Status}', name];
  const { stdout } = spawnSync('dpkg-query', args, { encoding: 'utf8' });
  return stdout !== 'installed';
}
