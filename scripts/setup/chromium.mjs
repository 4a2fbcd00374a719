// Finds the Chromium that the browser tests drive.

import { spawnSync } from 'node:child_process';
import { fromEnvironment, isExecutable, onPath } from './executable.mjs';
import { rootDir, systemName } from './places.mjs';
import { SetupError } from './setup-error.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const APPLICATIONS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * @param {string} node the Node to ask Playwright with: it ends a process whose Node is too old for it
 * @returns {import('./found.mjs').Found}
 */
export function findChromium(node) {
  const path =
    fromEnvironment('CHROMIUM_BIN') ??
    onPath(...NAMES) ??
    APPLICATIONS.find(isExecutable) ??
    playwrightsOwn(node);
  if (path) return { path };
  if (systemName().startsWith('ubuntu')) {
    // Ubuntu's package is a stub for a snap, whose confinement keeps tests out of their own files.
    throw new SetupError(
      'The tests need Chromium; run this and then try again: npx playwright install --with-deps chromium',
    );
  }
  return { packages: ['chromium'], make: async () => make() };
}

/**
 * @param {string} node
 * @returns {string | undefined} where Playwright's download is, if it was made
 */
function playwrightsOwn(node) {
  const question = "require('playwright-core').chromium.executablePath()";
  const { stdout } = spawnSync(node, ['-p', question], { cwd: rootDir, encoding: 'utf8' });
  // It has no answer where it has no browser for this system.
  const path = stdout.trim();
  return isExecutable(path) ? path : undefined;
}

/** @returns {string} */
function make() {
  const path = onPath(...NAMES);
  if (!path) throw new SetupError('Chromium is not here: set CHROMIUM_BIN to its path.');
  return path;
}
