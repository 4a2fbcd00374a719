// npm's packages of the product, exactly as package-lock.json names them.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { tryCommand } from './command.mjs';
import { npmScript } from './npm.mjs';
import { modulesDir, rootDir } from './places.mjs';
import { startStep } from './progress.mjs';
import { SetupError } from './setup-error.mjs';

const LOG = 'packages';
const SCRIPT_SECONDS = 60;

const lockPath = join(rootDir, 'package-lock.json');
const stampPath = join(modulesDir, '.livepanty-packages');

/**
 * The one install step that is needed: it picks the bun that suits this processor. All others stay
 * off: some download from places that may be out of reach, and would fail the whole installation.
 */
const bunScript = join(modulesDir, 'bun', 'install.js');

/** @returns {string} changes whenever package-lock.json does */
export function lockHash() {
  return createHash('sha256').update(readFileSync(lockPath)).digest('hex');
}

/** @returns {boolean} */
export function packagesAreCurrent() {
  return existsSync(stampPath) && readFileSync(stampPath, 'utf8') === lockHash();
}

/**
 * @param {string} node
 * @returns {Promise<void>}
 */
export async function installPackages(node) {
  if (packagesAreCurrent()) return;
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };

  if (!installedMatchesLock()) {
    const step = startStep("Installing npm's packages");
    try {
      const args = [
        npmScript(),
        'ci',
        ...['--ignore-scripts', '--no-audit', '--no-fund'],
        // Whatever NODE_ENV or somebody's settings leave out: the launcher itself needs these.
        ...['--include=dev', '--include=optional'],
        // The lock file names versions, and their checksums: what npm has of them already will do.
        '--prefer-offline',
      ];
      const { code, logPath } = await tryCommand(node, args, { log: LOG, cwd: rootDir, env });
      if (code !== 0) {
        // npm's own words for this are buried under a page of its usage.
        const outOfStep = readFileSync(logPath, 'utf8').includes('EUSAGE');
        throw new SetupError(
          outOfStep
            ? 'package-lock.json does not fit package.json; run this and then try again: npm install --ignore-scripts'
            : "npm could not install the product's packages.",
          { logPath },
        );
      }
      step.done("Installed npm's packages");
    } finally {
      step.drop();
    }
  }

  await tryCommand(node, [bunScript], {
    log: LOG,
    append: true,
    cwd: dirname(bunScript),
    env,
    timeoutSeconds: SCRIPT_SECONDS,
  });
  writeFileSync(stampPath, lockHash());
}

/**
 * Whether node_modules already is what the lock file names, for instance after somebody's own
 * `npm ci`. npm keeps what it installed in a lock file of the same form inside node_modules.
 * @returns {boolean}
 */
function installedMatchesLock() {
  const installed = readJson(join(modulesDir, '.package-lock.json'))?.packages;
  if (!installed) return false;
  const wanted = JSON.parse(readFileSync(lockPath, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const here = installed[path];
    // Optional packages are those of other platforms, and what these need in turn.
    if (!here) return entry.optional === true && !isForThisPlatform(entry);
    return here.version === entry.version && existsSync(join(rootDir, path, 'package.json'));
  });
}

/**
 * @param {string} path
 * @returns {any} undefined when it is not there, or was written only in part
 */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {{ os?: string[], cpu?: string[], libc?: string[] }} entry */
function isForThisPlatform({ os, cpu, libc }) {
  return Boolean(
    os?.includes(process.platform) && cpu?.includes(process.arch) && !libc?.includes('musl'),
  );
}
