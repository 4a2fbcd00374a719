// mediasoup's worker: the C++ program that forwards the media, one process per core.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachePath, inPlace, withScratch } from './cache.mjs';
import { fromEnvironment, isExecutable } from './executable.mjs';
import { withLock } from './lock.mjs';
import { modulesDir, platform, systemName } from './places.mjs';
import { startStep } from './progress.mjs';
import { SetupError } from './setup-error.mjs';
import { buildWorker, missingForBuild } from './worker/build.mjs';
import { runs, takePrebuilt } from './worker/prebuilt.mjs';

/** Raise it whenever a change in worker/ changes the binary: a cached one is then built anew. */
export const RECIPE = 2;

const PROGRAM = 'mediasoup-worker';
const PREBUILT = 'prebuilt';

/**
 * Upstream's binary where it can be fetched, since that takes seconds; else one built here.
 * @param {string} node
 * @returns {Promise<import('./found.mjs').Found>}
 */
export async function findMediasoupWorker(node) {
  const chosen = fromEnvironment('MEDIASOUP_WORKER_BIN');
  if (chosen) return { path: chosen };

  const mediasoup = installedMediasoup();
  const folder = folderIn('mediasoup-worker', mediasoup);
  const path = join(folder, PROGRAM);
  if (isExecutable(path)) return { path };

  const step = startStep("Fetching mediasoup's worker");
  const fetched = await inPlace(folder, PROGRAM, async (scratch) => {
    noteOrigin(scratch, PREBUILT);
    return takePrebuilt(node, mediasoup, join(scratch, PROGRAM));
  });
  step.done(
    fetched
      ? "Fetched mediasoup's worker"
      : "mediasoup's worker cannot be fetched from here: building it",
  );
  if (fetched) return { path };

  if (process.platform !== 'linux') {
    throw new SetupError(
      "mediasoup's worker could not be fetched: try again with access to where it is published, or set MEDIASOUP_WORKER_BIN to one that you built.",
    );
  }
  return { packages: missingForBuild(), make: () => make(folder, { asUpstream: false }) };
}

/**
 * The worker as upstream has it, to compare ours with: built with the same compiler, flags and libraries.
 * @returns {import('./found.mjs').Found}
 */
export function findUpstreamWorker() {
  const mediasoup = installedMediasoup();
  const ours = folderIn('mediasoup-worker', mediasoup);
  if (originOf(ours) === PREBUILT) return { path: join(ours, PROGRAM) };
  const folder = folderIn('mediasoup-worker-upstream', mediasoup);
  const path = join(folder, PROGRAM);
  if (isExecutable(path)) return { path };
  return { packages: missingForBuild(), make: () => make(folder, { asUpstream: true }) };
}

/** @returns {import('./worker/prebuilt.mjs').Mediasoup} */
function installedMediasoup() {
  return JSON.parse(readFileSync(join(modulesDir, 'mediasoup/package.json'), 'utf8'));
}

/**
 * @param {string} name
 * @param {import('./worker/prebuilt.mjs').Mediasoup} mediasoup
 */
function folderIn(name, { version }) {
  return cachePath(name, `${version}-${platform}-${systemName()}-r${RECIPE}`);
}

/**
 * @param {string} folder
 * @param {{ asUpstream: boolean }} options
 * @returns {Promise<string>}
 */
async function make(folder, options) {
  const path = join(folder, PROGRAM);
  const waiting = "Waiting for another set-up, which builds mediasoup's worker";
  await withLock(`${folder}.lock`, waiting, async () => {
    if (isExecutable(path)) return;
    await inPlace(folder, PROGRAM, async (result) => {
      const binary = join(result, PROGRAM);
      noteOrigin(result, await withScratch((scratch) => buildWorker(scratch, binary, options)));
      if (!(await runs(binary))) {
        throw new SetupError("mediasoup's worker was built but does not run on this system.");
      }
      return true;
    });
  });
  return path;
}

/**
 * For whoever wonders later which binary this is.
 * @param {string} folder
 * @param {string} origin
 */
function noteOrigin(folder, origin) {
  writeFileSync(join(folder, 'origin.txt'), `${origin}\n`);
}

/** @param {string} folder */
function originOf(folder) {
  const file = join(folder, 'origin.txt');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
