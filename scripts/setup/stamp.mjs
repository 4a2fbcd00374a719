// Remembers what the last set-up of this checkout found, so that the next one need not look.

import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isExecutable } from './executable.mjs';
import { hasFirefox, knownFirefox } from './firefox.mjs';
import { RECIPE } from './mediasoup-worker.mjs';
import { runsTypeScript } from './node.mjs';
import { lockHash, packagesAreCurrent, readJson } from './packages.mjs';
import { cacheDir, platform, systemName, workDir } from './places.mjs';
import { receiversPath } from './receivers.mjs';
import { hasWhipClient, whipClientPath } from './whip-client.mjs';

const stampPath = join(workDir, 'setup.json');

/** Variables by which somebody chooses a program, and the programs. */
const CHOICES = /** @type {const} */ ({
  MEDIASOUP_WORKER_BIN: 'mediasoupWorker',
  FFMPEG_BIN: 'ffmpeg',
  REDIS_SERVER_BIN: 'redisServer',
  CHROMIUM_BIN: 'chromium',
  FIREFOX_BIN: 'firefox',
  TURNSERVER_BIN: 'turnserver',
  WHIP_CLIENT_BIN: 'whipClient',
});

/** Whatever else decides which programs are the right ones. */
function basis() {
  const facts = [lockHash(), RECIPE, platform, systemName(), cacheDir];
  return createHash('sha256').update(facts.join('\n')).digest('hex');
}

/** @returns {Record<string, string>} */
function choices() {
  return Object.fromEntries(Object.keys(CHOICES).map((name) => [name, process.env[name] ?? '']));
}

/**
 * @param {{ forTests: boolean }} options
 * @returns {import('./index.mjs').Programs | undefined} undefined: something is to be done
 */
export function readStamp({ forTests }) {
  const stamp = readJson(stampPath);
  if (!stamp) return undefined;
  if (stamp.basis !== basis() || !packagesAreCurrent()) return undefined;
  for (const [variable, program] of Object.entries(CHOICES)) {
    const chosen = process.env[variable] ?? '';
    // What the product starts finds our own findings in its environment, and may set up again.
    if (chosen !== stamp.choices[variable] && chosen !== stamp.programs[program]) return undefined;
  }
  const { chromium, firefox, turnserver, receivers, whipClient, ...programs } = stamp.programs;
  // The host's Node may have been replaced by an older one at the same path.
  if (programs.node === process.execPath && !runsTypeScript(process.versions.node))
    return undefined;
  if (!forTests) return Object.values(programs).every(isExecutable) ? programs : undefined;
  // Those of other sources than the ones that are here are not the right ones.
  const linux = process.platform === 'linux' && { receivers: receiversPath() };
  const debian = hasWhipClient() && { whipClient: whipClientPath() };
  const second = hasFirefox() && { firefox: knownFirefox() };
  const wanted = { ...programs, chromium, turnserver, ...second, ...linux, ...debian };
  if (receivers !== wanted.receivers || whipClient !== wanted.whipClient) return undefined;
  if (firefox !== wanted.firefox) return undefined;
  return Object.values(wanted).every(isExecutable) ? wanted : undefined;
}

/** @param {import('./index.mjs').Programs} programs */
export function writeStamp(programs) {
  mkdirSync(workDir, { recursive: true });
  // What the tests need stays known when the next set-up is not for tests.
  const known = programs.chromium ? programs : readStamp({ forTests: true });
  const stamp = {
    basis: basis(),
    choices: choices(),
    programs: {
      ...programs,
      chromium: known?.chromium,
      firefox: known?.firefox,
      turnserver: known?.turnserver,
      receivers: known?.receivers,
      whipClient: known?.whipClient,
    },
  };
  // By a rename, since somebody else may be reading it.
  const draft = `${stampPath}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(stamp, null, 2)}\n`);
  renameSync(draft, stampPath);
}
