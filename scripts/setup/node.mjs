// The Node that runs the product: the host's where it is new enough, else one brought by npm.

import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cachePath, inPlace } from './cache.mjs';
import { command } from './command.mjs';
import { isExecutable } from './executable.mjs';
import { npmScript } from './npm.mjs';
import { platform } from './places.mjs';
import { startStep } from './progress.mjs';
import { SetupError } from './setup-error.mjs';

const BROUGHT_MAJOR = 24;
const LOG = 'node';

/** @returns {Promise<string>} absolute path of the program */
export async function findNode() {
  if (runsTypeScript(process.versions.node)) return process.execPath;
  return newestCached() ?? (await bring());
}

/**
 * Whether this Node runs TypeScript files without a flag: since 22.18 and 23.6.
 * @param {string} version
 */
export function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

/** @param {string} version */
function programOf(version) {
  return cachePath('node', version, 'bin', 'node');
}

/** @returns {string | undefined} */
function newestCached() {
  const folder = cachePath('node');
  const versions = existsSync(folder) ? readdirSync(folder) : [];
  return versions
    .filter((version) => version.startsWith(`${BROUGHT_MAJOR}.`))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map(programOf)
    .find(isExecutable);
}

/** @returns {Promise<string>} */
async function bring() {
  const name = `node-${platform}`;
  const failure = `Node.js ${process.versions.node} is too old and npm could not bring a newer one: install Node.js 22.18 or later, and then try again.`;
  const step = startStep(`Fetching Node.js ${BROUGHT_MAJOR}`);
  try {
    const npm = npmScript();
    const listing = await command(
      process.execPath,
      [npm, 'view', `${name}@${BROUGHT_MAJOR}`, 'version', '--json'],
      { log: LOG, failure },
    );
    const version = [JSON.parse(listing)]
      .flat()
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .at(-1);
    const kept = await inPlace(cachePath('node', version), 'bin/node', async (folder) => {
      const options = { log: LOG, append: true, cwd: folder, failure };
      const archive = `${name}-${version}.tgz`;
      await command(process.execPath, [npm, 'pack', `${name}@${version}`], options);
      await command('tar', ['-xzf', archive, '--strip-components=1'], options);
      rmSync(join(folder, archive));
      const program = join(folder, 'bin', 'node');
      chmodSync(program, 0o755);
      const answer = await command(program, ['--version'], options);
      return answer.trim() === `v${version}`;
    });
    if (!kept) throw new SetupError(failure);
    step.done(`Fetched Node.js ${version}`);
    return programOf(version);
  } finally {
    step.drop();
  }
}
