// Upstream's own binary of mediasoup's worker, where the place it is published at can be reached.

import { chmodSync, copyFileSync, rmSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryCommand } from '../command.mjs';
import { isExecutable } from '../executable.mjs';
import { modulesDir, platform } from '../places.mjs';

const FETCH_SECONDS = 20;
const RUN_SECONDS = 10;
const LOG = 'mediasoup-worker-prebuilt';

/** What the worker exits with when nobody told it the version to speak (see its main.cpp). */
const EXIT_CODE_WITHOUT_VERSION = 41;

const download = fileURLToPath(new URL('../download.mjs', import.meta.url));

/**
 * @typedef {object} Mediasoup
 * @property {string} version
 * @property {{ url: string }} repository
 */

/**
 * Neither of these ever starts a build, which mediasoup's own install script does when its download
 * fails.
 * @param {string} node
 * @param {Mediasoup} mediasoup its package.json
 * @param {string} target where to put the binary
 * @returns {Promise<boolean>}
 */
export async function takePrebuilt(node, mediasoup, target) {
  return (await takeInstalled(target)) || (await fetchRelease(node, mediasoup, target));
}

/** @param {string} target */
async function takeInstalled(target) {
  const installed = join(modulesDir, 'mediasoup/worker/out/Release/mediasoup-worker');
  if (!isExecutable(installed)) return false;
  copyFileSync(installed, target);
  return runs(target);
}

/**
 * The name and the address are those of mediasoup's own install script (its npm-scripts.mjs).
 * @param {string} node
 * @param {Mediasoup} mediasoup
 * @param {string} target
 */
async function fetchRelease(node, { version, repository }, target) {
  const base =
    process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ||
    `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/releases/download`;
  const kernel = process.platform === 'linux' ? `-kernel${Number.parseInt(release(), 10)}` : '';
  const url = `${base}/${version}/mediasoup-worker-${version}-${platform}${kernel}.tgz`;
  const archive = `${target}.tgz`;
  const folder = join(target, '..');
  const commands = /** @type {const} */ ([
    [node, [download, url, archive]],
    ['tar', ['-xzf', archive, '-C', folder, 'mediasoup-worker']],
  ]);
  try {
    for (const [program, args] of commands) {
      const { code } = await tryCommand(program, [...args], {
        log: LOG,
        append: program === 'tar',
        env: { ...process.env, NODE_USE_ENV_PROXY: '1' },
        timeoutSeconds: FETCH_SECONDS,
      });
      if (code !== 0) return false;
    }
  } finally {
    rmSync(archive, { force: true });
  }
  chmodSync(target, 0o755);
  return runs(target);
}

/**
 * Whether it runs with the libraries of this system.
 * @param {string} binary
 * @returns {Promise<boolean>}
 */
export async function runs(binary) {
  const { code } = await tryCommand(binary, [], {
    log: LOG,
    append: true,
    env: {},
    timeoutSeconds: RUN_SECONDS,
  });
  return code === EXIT_CODE_WITHOUT_VERSION;
}
