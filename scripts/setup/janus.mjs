// Janus, which the bench of the SFU runs beside ours: the program of Debian's package, with its plugins.
//
// Unpacked and not installed, because the installed package starts a server on its usual ports, and
// starts it again with the machine.

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachePath, inPlace } from './cache.mjs';
import { command, tryCommand } from './command.mjs';
import { installPackages, isDebianLike } from './debian.mjs';
import { isExecutable, onPath } from './executable.mjs';
import { withLock } from './lock.mjs';
import { platform, systemName } from './places.mjs';
import { startStep } from './progress.mjs';
import { SetupError } from './setup-error.mjs';

const LOG = 'janus';
const PROGRAM = 'usr/bin/janus';
/** Beside it, for the bench to load into it. */
const LOOPBACK = 'loopback.so';
const loopbackSource = fileURLToPath(new URL('janus-loopback.c', import.meta.url));
/** Raise it whenever the folder would be another one. */
const RECIPE = 1;

/** @returns {import('./found.mjs').Found} */
export function findJanus() {
  const folder = cachePath('janus', `${platform}-${systemName()}-r${RECIPE}`);
  const path = join(folder, PROGRAM);
  if (runs(path)) return { path };
  return { packages: onPath('cc') ? [] : ['gcc', 'libc6-dev'], make: () => make(folder) };
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
  if (!isDebianLike())
    throw new SetupError('Janus is taken from Debian, which this system is not.');
  const path = join(folder, PROGRAM);
  await withLock(`${folder}.lock`, 'Waiting for another set-up, which fetches Janus', async () => {
    if (!isExecutable(path)) await inPlace(folder, PROGRAM, unpack);
  });
  await installPackages(await missingLibraries(join(folder, 'janus.deb')));
  if (!runs(path)) throw new SetupError('Janus was unpacked but does not run on this system.');
  return path;
}

/** @param {string} folder */
async function unpack(folder) {
  const step = startStep('Fetching Janus');
  try {
    // The user that root's downloads are given to otherwise cannot write to our folders.
    const download = ['-o', 'APT::Sandbox::User=', 'download', 'janus'];
    const options = { log: LOG, append: true, cwd: folder };
    const failure = 'Janus cannot be fetched; run this and then try again: apt-get update';
    // The package lists may be absent or old, and refreshing them takes root.
    const { code } = await tryCommand('apt-get', download, { ...options, append: false });
    if (code !== 0) await tryCommand('apt-get', ['update'], options);
    if (code !== 0) await command('apt-get', download, { ...options, failure });
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb')) ?? '';
    await command('dpkg-deb', ['--extract', archive, '.'], { ...options, failure });
    await command('mv', [archive, 'janus.deb'], { ...options, failure });
    rmSync(join(folder, 'etc'), { recursive: true });
    const compile = ['-shared', '-fPIC', '-O2', '-o', LOOPBACK, loopbackSource];
    await command('cc', compile, { ...options, failure: 'What Janus needs could not be built.' });
    step.done('Fetched Janus');
    return true;
  } finally {
    step.drop();
  }
}

/**
 * @param {string} archive
 * @returns {Promise<string[]>} packages that Janus needs and that are not installed
 */
async function missingLibraries(archive) {
  const options = { log: LOG, append: true };
  const depends = await command('dpkg-deb', ['--field', archive, 'Depends'], {
    ...options,
    failure: "Debian's package of Janus cannot be read.",
  });
  // Such as "libnice10 (>= 0.1.16)".
  const names = depends.split(',').flatMap((one) => /[\w.+-]+/.exec(one) ?? []);
  const format = '--showformat=$' + '{Package} $' + '{db:Status-Status}\n';
  // It fails for those that it does not know, and tells of the others all the same.
  const { output } = await tryCommand('dpkg-query', ['--show', format, ...names], options);
  const installed = new Set(output.split('\n').map((line) => line.replace(/ installed$/, '')));
  return names.filter((name) => !installed.has(name));
}
