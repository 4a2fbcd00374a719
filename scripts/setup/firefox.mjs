// Finds the Firefox that tests drive beside Chromium.

import { existsSync } from 'node:fs';
import { cachePath, inPlace } from './cache.mjs';
import { tryCommand } from './command.mjs';
import { isDebianLike, unpackPackage } from './debian.mjs';
import { fromEnvironment, isExecutable, onPath } from './executable.mjs';
import { platform, systemName } from './places.mjs';
import { SetupError } from './setup-error.mjs';

const PACKAGE = 'firefox-esr';
const PROGRAM = 'usr/lib/firefox-esr/firefox-esr';
const NAMES = ['firefox-esr', 'firefox'];
const APPLICATION = '/Applications/Firefox.app/Contents/MacOS/firefox';

/** What it plays H264 and AAC with, by the systems whose package can be unpacked. */
const DECODERS = /** @type {Record<string, string>} */ ({
  debian12: 'libavcodec59',
  debian13: 'libavcodec61',
});
/** Where Debian keeps libraries, by Node's names of processors. */
const LIBRARIES = /** @type {Record<string, string>} */ ({
  x64: '/usr/lib/x86_64-linux-gnu',
  arm64: '/usr/lib/aarch64-linux-gnu',
});

/** @returns {boolean} whether the tests of this system go with it: elsewhere it is used if it is there */
export function hasFirefox() {
  return knownFirefox() !== undefined || canUnpack();
}

/** @returns {string | undefined} where it is, if it is here */
export function knownFirefox() {
  const path = fromEnvironment('FIREFOX_BIN') ?? installed();
  if (path) return path;
  const ours = `${cached()}/${PROGRAM}`;
  return isExecutable(ours) ? ours : undefined;
}

/** @returns {import('./found.mjs').Found} */
export function findFirefox() {
  const path = knownFirefox();
  if (path) return { path };
  const decoder = DECODERS[systemName()] ?? '';
  const library = `${LIBRARIES[process.arch]}/${decoder.replace(/(\d+)$/, '.so.$1')}`;
  return { packages: existsSync(library) ? [] : [decoder], make: unpack };
}

function installed() {
  // Ubuntu's is a stub for a snap, whose confinement keeps tests out of their own files.
  if (systemName().startsWith('ubuntu')) return undefined;
  return onPath(...NAMES) ?? (isExecutable(APPLICATION) ? APPLICATION : undefined);
}

function canUnpack() {
  return isDebianLike() && systemName() in DECODERS && process.arch in LIBRARIES;
}

function cached() {
  return cachePath('firefox', `${platform}-${systemName()}`);
}

/** @returns {Promise<string>} */
async function unpack() {
  await inPlace(cached(), PROGRAM, async (folder) => {
    await unpackPackage(PACKAGE, folder);
    const check = await tryCommand(`${folder}/${PROGRAM}`, ['--version'], { log: 'firefox' });
    if (/^Mozilla Firefox \d/m.test(check.output)) return true;
    throw new SetupError('Firefox was unpacked but does not run on this system.', {
      logPath: check.logPath,
    });
  });
  const path = knownFirefox();
  if (!path) throw new SetupError('Firefox is not here: set FIREFOX_BIN to its path.');
  return path;
}
