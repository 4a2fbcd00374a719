// Installs what is missing of Debian's packages, or says in one sentence how to.

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { command, tryCommand } from './command.mjs';
import { onPath } from './executable.mjs';
import { startStep } from './progress.mjs';
import { SetupError } from './setup-error.mjs';

const LOG = 'packages-of-the-system';
const LOCK_WAIT_SECONDS = 120;

/** Debian itself and what derives from it. */
export function isDebianLike() {
  return process.platform === 'linux' && onPath('apt-get', 'dpkg') !== undefined;
}

/**
 * @param {string[]} packages
 * @returns {Promise<void>}
 */
export async function installPackages(packages) {
  const names = [...new Set(packages)].sort();
  if (names.length === 0) return;
  if (!isDebianLike()) throw new SetupError(elsewhere(names));

  const asRoot = rootPrefix();
  if (!asRoot) {
    const install = `apt-get install --yes --no-install-recommends ${names.join(' ')}`;
    throw new SetupError(
      `Packages of the system are missing and installing them takes root; run this and then try again: ${askRoot(`apt-get update && ${install}`)}`,
    );
  }

  const step = startStep(`Installing ${names.length} packages of the system`);
  const apt = (/** @type {string[]} */ ...args) => aptGet(asRoot, args, step);
  const install = ['install', '--yes', '--no-install-recommends', ...names];

  try {
    // The package lists may be absent or old: refresh them only when they do not do.
    const known = (await apt('--simulate', ...install)).code === 0;
    let result = known ? await apt(...install) : undefined;
    if (result?.code !== 0) {
      await apt('update');
      result = await apt(...install);
    }
    if (result.code !== 0) {
      throw new SetupError(`apt-get could not install ${names.join(' ')}.`, {
        logPath: result.logPath,
      });
    }
    step.done(`Installed ${names.join(' ')}`);
  } finally {
    step.drop();
  }
}

/**
 * Unpacks a package into a folder of ours, for one that would start a service when it is installed; only the
 * libraries that it needs are installed.
 * @param {string} name
 * @param {string} folder
 * @returns {Promise<void>}
 */
export async function unpackPackage(name, folder) {
  const step = startStep(`Fetching ${name}`);
  try {
    let result = await aptGet([], ['download', name], step, folder);
    if (result.code !== 0) {
      const asRoot = rootPrefix();
      if (!asRoot) {
        throw new SetupError(
          `apt-get cannot fetch ${name}; run this and then try again: ${askRoot('apt-get update')}`,
          { logPath: result.logPath },
        );
      }
      await aptGet(asRoot, ['update'], step);
      result = await aptGet([], ['download', name], step, folder);
    }
    const file = readdirSync(folder).find((one) => one.endsWith('.deb'));
    if (result.code !== 0 || !file) {
      throw new SetupError(`apt-get could not fetch ${name}.`, { logPath: result.logPath });
    }
    const archive = join(folder, file);
    const failure = `The package ${name} cannot be read.`;
    const read = (/** @type {string[]} */ ...args) =>
      command('dpkg-deb', args, { log: LOG, append: true, failure });
    await read('--extract', archive, folder);
    const needed = await read('--field', archive, 'Depends');
    rmSync(archive);
    step.done(`Fetched ${name}`);
    const libraries = librariesOf(needed);
    const isHere = await Promise.all(libraries.map(isInstalled));
    await installPackages(libraries.filter((_, place) => !isHere[place]));
  } finally {
    step.drop();
  }
}

/**
 * @param {string} depends as a package says it: `adduser, libc6 (>= 2.34), telnet | telnet-client`
 * @returns {string[]}
 */
function librariesOf(depends) {
  return depends
    .split(',')
    .map((one) => one.trim().split(/[\s|(:]/, 1)[0] ?? '')
    .filter((name) => name.startsWith('lib'));
}

/** @param {string} name */
async function isInstalled(name) {
  const { output } = await tryCommand('dpkg', ['--status', name], { log: LOG, append: true });
  return /^Status: .* installed$/m.test(output);
}

/**
 * @param {string[]} prefix
 * @param {string[]} args
 * @param {import('./progress.mjs').Step} step
 * @param {string} [cwd]
 */
function aptGet(prefix, args, step, cwd) {
  const [program = '', ...rest] = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-o',
    `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`,
    ...args,
  ];
  const interest = /^(?:Get:|Unpacking|Setting up) ?\S* ?\S*/;
  return tryCommand(program, rest, { log: LOG, append: true, step, interest, ...(cwd && { cwd }) });
}

/**
 * @param {string} command
 * @returns {string} what somebody types who has to prove that they are root
 */
function askRoot(command) {
  return `${onPath('sudo') ? 'sudo sh' : 'su'} -c '${command}'`;
}

/**
 * What to put before a command so that it runs as root, if that needs no password.
 * @returns {string[] | undefined}
 */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  const sudo = onPath('sudo');
  if (sudo && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0) {
    return [sudo, '-n'];
  }
  return undefined;
}

/** @param {string[]} names */
function elsewhere(names) {
  /** @type {Record<string, string>} */
  const brew = {
    'redis-tools': 'redis',
    ffmpeg: 'ffmpeg',
    chromium: '--cask chromium',
    coturn: 'coturn',
  };
  if (process.platform === 'darwin' && names.every((name) => name in brew)) {
    const commands = names.map((name) => `brew install ${brew[name]}`);
    return `Programs are missing; run this and then try again: ${commands.join(' && ')}`;
  }
  return `Install what Debian calls ${names.join(', ')} with the package manager of this system, and then try again.`;
}
