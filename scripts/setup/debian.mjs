// Installs what is missing of Debian's packages, or says in one sentence how to.

import { spawnSync } from 'node:child_process';
import { tryCommand } from './command.mjs';
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
    const asked = onPath('sudo') ? 'sudo sh' : 'su';
    throw new SetupError(
      `Packages of the system are missing and installing them takes root; run this and then try again: ${asked} -c 'apt-get update && apt-get install --yes --no-install-recommends ${names.join(' ')}'`,
    );
  }

  const step = startStep(`Installing ${names.length} packages of the system`);
  const apt = (/** @type {string[]} */ ...args) => {
    const [program = '', ...rest] = [
      ...asRoot,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-o',
      `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`,
      ...args,
    ];
    const interest = /^(?:Get:|Unpacking|Setting up) ?\S* ?\S*/;
    return tryCommand(program, rest, { log: LOG, append: true, step, interest });
  };
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
  const brew = { 'redis-tools': 'redis', ffmpeg: 'ffmpeg', chromium: '--cask chromium' };
  if (process.platform === 'darwin' && names.every((name) => name in brew)) {
    const commands = names.map((name) => `brew install ${brew[name]}`);
    return `Programs are missing; run this and then try again: ${commands.join(' && ')}`;
  }
  return `Install what Debian calls ${names.join(', ')} with the package manager of this system, and then try again.`;
}
