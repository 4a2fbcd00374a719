// The set-up of the product: `node scripts/setup/index.mjs [--tests]`, or `setup()` from a script.
//
// With nothing to do it only looks whether the files of the last time are still there.

import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium } from './chromium.mjs';
import { findTurnserver } from './coturn.mjs';
import { installPackages as installSystemPackages } from './debian.mjs';
import { findFfmpeg } from './ffmpeg.mjs';
import { findFirefox, hasFirefox } from './firefox.mjs';
import { obtain } from './found.mjs';
import { withLock } from './lock.mjs';
import { findMediasoupWorker } from './mediasoup-worker.mjs';
import { findNode } from './node.mjs';
import { installPackages } from './packages.mjs';
import { workDir } from './places.mjs';
import { findReceivers } from './receivers.mjs';
import { findRedisServer } from './redis.mjs';
import { exitWith, SetupError } from './setup-error.mjs';
import { packagesForSrt } from './srt.mjs';
import { readStamp, writeStamp } from './stamp.mjs';
import { findWhipClient, hasWhipClient } from './whip-client.mjs';

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * @typedef {object} Programs absolute paths
 * @property {string} node
 * @property {string} mediasoupWorker
 * @property {string} ffmpeg
 * @property {string} redisServer
 * @property {string} [chromium] with `forTests` only
 * @property {string} [turnserver] with `forTests` only
 * @property {string} [firefox] the same, where there is one or its package is known
 * @property {string} [receivers] the same, and on Linux only
 * @property {string} [whipClient] the same, and on Debian 12 only
 */

/**
 * @param {{ forTests: boolean }} options
 * @returns {Promise<Programs>}
 * @throws {import('./setup-error.mjs').SetupError} what to do about it, in one sentence
 */
export async function setup({ forTests }) {
  const known = readStamp({ forTests });
  if (known) return known;
  if (process.platform === 'win32') {
    throw new SetupError('LivePanty runs on Linux and macOS; on Windows, run it inside WSL.');
  }
  // Ending by `exit` rather than by the signal itself stops what we started and frees our locks.
  for (const signal of SIGNALS) process.once(signal, exitBySignal);
  try {
    const waiting = 'Waiting for another set-up of this checkout';
    return await withLock(join(workDir, 'setup.lock'), waiting, async () => {
      const madeMeanwhile = readStamp({ forTests });
      if (madeMeanwhile) return madeMeanwhile;
      const programs = await provide({ forTests });
      writeStamp(programs);
      return programs;
    });
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, exitBySignal);
  }
}

/** @param {NodeJS.Signals} signal */
function exitBySignal(signal) {
  process.exit(128 + constants.signals[signal]);
}

/**
 * @param {{ forTests: boolean }} options
 * @returns {Promise<Programs>}
 */
async function provide({ forTests }) {
  const node = await findNode();
  await installPackages(node);
  // Look for all first: what the system lacks is then installed with one call.
  const [mediasoupWorker, ffmpeg] = await Promise.all([
    findMediasoupWorker(node),
    findFfmpeg(node),
  ]);
  const found = { ffmpeg, redisServer: findRedisServer(), mediasoupWorker };
  if (!forTests) return { node, ...(await obtain(found)) };
  await installSystemPackages(packagesForSrt());
  const forTestsOnly = {
    chromium: findChromium(node),
    turnserver: findTurnserver(),
    ...(hasFirefox() && { firefox: findFirefox() }),
    // They stand on epoll.
    ...(process.platform === 'linux' && { receivers: findReceivers() }),
    ...(hasWhipClient() && { whipClient: findWhipClient() }),
  };
  return { node, ...(await obtain({ ...found, ...forTestsOnly })) };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const programs = await setup({ forTests: process.argv.includes('--tests') });
    for (const [name, path] of Object.entries(programs)) console.log(`${name.padEnd(16)}${path}`);
  } catch (error) {
    exitWith(error);
  }
}
