// Finds ffmpeg: the one that ffmpeg-static fetches, or else the system's.

import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cachePath, inPlace } from './cache.mjs';
import { tryCommand } from './command.mjs';
import { fromEnvironment, isExecutable, onPath } from './executable.mjs';
import { modulesDir, platform } from './places.mjs';
import { startStep } from './progress.mjs';
import { SetupError } from './setup-error.mjs';

const FETCH_SECONDS = 120;
/** Without a first byte by then, the place to fetch it from is taken to be out of reach. */
const FIRST_BYTE_SECONDS = 10;

const packageDir = join(modulesDir, 'ffmpeg-static');

/**
 * @param {string} node the Node to run ffmpeg-static's install script with
 * @returns {Promise<import('./found.mjs').Found>}
 */
export async function findFfmpeg(node) {
  const chosen = fromEnvironment('FFMPEG_BIN');
  if (chosen) return { path: chosen };

  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8'));
  const cached = cachePath('ffmpeg', `${version}-${platform}`);
  const path = [join(cached, 'ffmpeg'), join(packageDir, 'ffmpeg')].find(isExecutable);
  if (path) return { path };
  if (await fetchStatic(node, cached)) return { path: join(cached, 'ffmpeg') };

  const system = onPath('ffmpeg');
  if (system) return { path: system };
  return { packages: ['ffmpeg'], make: async () => make() };
}

/**
 * @param {string} node
 * @param {string} cached
 * @returns {Promise<boolean>}
 */
async function fetchStatic(node, cached) {
  const step = startStep('Fetching ffmpeg');
  const fetched = await inPlace(cached, 'ffmpeg', async (folder) => {
    const target = join(folder, 'ffmpeg');
    const slow = new AbortController();
    const timer = setTimeout(() => {
      if (!hasBytes(target)) slow.abort('no answer');
    }, FIRST_BYTE_SECONDS * 1000);
    mkdirSync(folder, { recursive: true });
    const { code } = await tryCommand(node, [join(packageDir, 'install.js')], {
      log: 'ffmpeg',
      // The script saves to the path that this variable names.
      env: { ...process.env, FFMPEG_BIN: target, CI: '1' },
      timeoutSeconds: FETCH_SECONDS,
      signal: slow.signal,
    });
    clearTimeout(timer);
    if (code !== 0 || !isExecutable(target)) return false;
    const check = await tryCommand(target, ['-version'], { log: 'ffmpeg', append: true });
    return check.code === 0;
  });
  step.done(fetched ? 'Fetched ffmpeg' : "ffmpeg cannot be fetched from here: taking the system's");
  return fetched;
}

/** @param {string} path */
function hasBytes(path) {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** @returns {string} */
function make() {
  const path = onPath('ffmpeg');
  if (!path) throw new SetupError('ffmpeg is not here: set FFMPEG_BIN to its path.');
  return path;
}
