// npm, run by the Node of our choice.

import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { onPath } from './executable.mjs';
import { SetupError } from './setup-error.mjs';

/** @returns {string} the path of npm's own script, to be run by any Node */
export function npmScript() {
  const program = onPath('npm');
  const candidates = [
    process.env.npm_execpath, // set by npm for what it runs, by yarn and pnpm too
    program && realpathSync(program),
    join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
    join(dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js'),
  ];
  const found = candidates.find(
    (path) => path && basename(path) === 'npm-cli.js' && existsSync(path),
  );
  if (!found)
    throw new SetupError('npm is not here: install it together with Node.js, and then try again.');
  return found;
}
