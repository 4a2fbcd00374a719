// Finds coturn's turnserver, by which the tests go through firewalls.

import { cachePath, inPlace } from './cache.mjs';
import { tryCommand } from './command.mjs';
import { isDebianLike, unpackPackage } from './debian.mjs';
import { fromEnvironment, isExecutable, onPath } from './executable.mjs';
import { platform, systemName } from './places.mjs';
import { SetupError } from './setup-error.mjs';

const PROGRAM = 'usr/bin/turnserver';
const NOT_HERE = 'turnserver is not here: set TURNSERVER_BIN to its path.';

/**
 * Debian's package would also start a relay for everybody on the usual port, and at every boot: only the program is
 * taken out of it.
 * @returns {import('./found.mjs').Found}
 */
export function findTurnserver() {
  const path = knownTurnserver();
  if (path) return { path };
  if (isDebianLike()) return { packages: [], make: unpack };
  return { packages: ['coturn'], make: async () => make() };
}

/** @returns {string | undefined} where it is, if it is here */
export function knownTurnserver() {
  const path = fromEnvironment('TURNSERVER_BIN') ?? onPath('turnserver');
  if (path) return path;
  const ours = `${cached()}/${PROGRAM}`;
  return isExecutable(ours) ? ours : undefined;
}

function cached() {
  return cachePath('coturn', `${platform}-${systemName()}`);
}

/** @returns {Promise<string>} */
async function unpack() {
  await inPlace(cached(), PROGRAM, async (folder) => {
    await unpackPackage('coturn', folder);
    const check = await tryCommand(`${folder}/${PROGRAM}`, ['-h'], { log: 'coturn' });
    if (/^Usage: turnserver/m.test(check.output)) return true;
    throw new SetupError('turnserver was unpacked but does not run on this system.', {
      logPath: check.logPath,
    });
  });
  return make();
}

/** @returns {string} */
function make() {
  const path = knownTurnserver();
  if (!path) throw new SetupError(NOT_HERE);
  return path;
}
