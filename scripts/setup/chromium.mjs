// Finds the Chromium that the browser tests drive.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fromEnvironment, isExecutable, onPath } from './executable.mjs';
import { rootDir, systemName } from './places.mjs';
import { SetupError } from './setup-error.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const APPLICATIONS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** @returns {import('./found.mjs').Found} */
export function findChromium() {
  const path =
    fromEnvironment('CHROMIUM_BIN') ??
    onPath(...NAMES) ??
    APPLICATIONS.find(isExecutable) ??
    playwrightsOwn();
  if (path) return { path };
  if (systemName().startsWith('ubuntu')) {
    // Ubuntu's package is a stub for a snap, whose confinement keeps tests out of their own files.
    throw new SetupError(
      'The tests need Chromium; run this and then try again: npx playwright install --with-deps chromium',
    );
  }
  return { packages: ['chromium'], make: async () => make() };
}

/** @returns {string | undefined} where Playwright's download is, if it was made */
function playwrightsOwn() {
  try {
    const { chromium } = createRequire(join(rootDir, 'package.json'))('playwright-core');
    const path = chromium.executablePath();
    return isExecutable(path) ? path : undefined;
  } catch {
    return undefined; // Playwright throws where it has no browser for this system.
  }
}

/** @returns {string} */
function make() {
  const path = onPath(...NAMES);
  if (!path) throw new SetupError('Chromium is not here: set CHROMIUM_BIN to its path.');
  return path;
}
