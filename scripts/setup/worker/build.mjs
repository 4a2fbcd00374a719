// Builds mediasoup's worker from the sources in its npm package, against libraries of the system.

import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, rmSync } from 'node:fs';
import * as os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryCommand } from '../command.mjs';
import { onPath } from '../executable.mjs';
import { modulesDir } from '../places.mjs';
import { startStep } from '../progress.mjs';
import { SetupError } from '../setup-error.mjs';
import { addLibsrtpSources } from './libsrtp.mjs';
import { applyPatches } from './patches.mjs';

const LOG = 'mediasoup-worker';
const COMPILER_BYTES = 600 * 2 ** 20;
const subprojects = fileURLToPath(new URL('subprojects', import.meta.url));

/**
 * Debian's packages that hold the tools and the libraries, each with a sign that it is installed.
 * libsrtp2-dev is what is left to build on where its sources cannot be had.
 * @type {Record<string, { program: string } | { library: string }>}
 */
const requirements = {
  'g++': { program: 'c++' },
  meson: { program: 'meson' },
  'ninja-build': { program: 'ninja' },
  'pkg-config': { program: 'pkg-config' },
  'flatbuffers-compiler': { program: 'flatc' },
  'libabsl-dev': { library: 'absl_strings' },
  'libflatbuffers-dev': { library: 'flatbuffers' },
  'libsrtp2-dev': { library: 'libsrtp2' },
  'libssl-dev': { library: 'openssl' },
  'libuv1-dev': { library: 'libuv' },
};

/** @returns {string[]} those of Debian's packages that are missing */
export function missingForBuild() {
  const pkgConfig = onPath('pkg-config');
  return Object.entries(requirements)
    .filter(([, sign]) => {
      if ('program' in sign) return !onPath(sign.program);
      return !pkgConfig || spawnSync(pkgConfig, ['--exists', sign.library]).status !== 0;
    })
    .map(([name]) => name);
}

/**
 * @param {string} folder a private one for all that the build needs; the caller removes it
 * @param {string} target where to put the binary
 * @param {{ asUpstream: boolean }} options
 * @returns {Promise<string>} what it was built with, in a few words
 */
export async function buildWorker(folder, target, { asUpstream }) {
  const step = startStep("Building mediasoup's worker, which takes some minutes");
  try {
    const sources = join(folder, 'worker');
    cpSync(join(modulesDir, 'mediasoup/worker'), sources, { recursive: true });
    await applyPatches(sources, { asUpstream });
    rmSync(join(sources, 'subprojects'), { recursive: true });
    cpSync(subprojects, join(sources, 'subprojects'), { recursive: true });
    step.note('sources of libsrtp');
    const ownSrtp = await addLibsrtpSources(join(sources, 'subprojects'), join(folder, 'libsrtp'));

    // Begins the log of this build; all that follows appends to it.
    await tryCommand('meson', ['--version'], { log: LOG });
    const options = [
      '--buildtype=release',
      '-Db_ndebug=true',
      `-Dlibsrtp3:libsrtp2-from-source=${ownSrtp}`,
    ];
    let buildDir = join(sources, 'lto');
    // meson alone would link on one core.
    const optimised = [...options, '-Db_lto=true', '-Dcpp_link_args=-flto=auto'];
    let result = await compile(sources, buildDir, optimised, step);
    const linkTimeOptimised = result.code === 0;
    if (!linkTimeOptimised) {
      // A small machine may lack the memory for it. The product does not depend on it.
      buildDir = join(sources, 'plain');
      result = await compile(sources, buildDir, options, step);
    }
    if (result.code !== 0) {
      const { logPath } = result;
      throw new SetupError("mediasoup's worker could not be built.", { logPath });
    }
    copyFileSync(join(buildDir, 'mediasoup-worker'), target);
    await tryCommand('strip', [target], { log: LOG, append: true });
    step.done("Built mediasoup's worker");
    return [
      asUpstream ? 'sends as upstream' : 'sends in batches',
      ownSrtp ? 'libsrtp 2 built on OpenSSL' : "the system's libsrtp 2",
      linkTimeOptimised ? 'link-time optimised' : 'not link-time optimised',
    ].join(', ');
  } finally {
    step.drop();
  }
}

/**
 * @param {string} sources
 * @param {string} buildDir
 * @param {string[]} options
 * @param {import('../progress.mjs').Step} step
 * @returns {Promise<import('../command.mjs').CommandResult>}
 */
async function compile(sources, buildDir, options, step) {
  const inSources = { log: LOG, append: true, cwd: sources };
  const configured = await tryCommand('meson', ['setup', ...options, buildDir], inSources);
  if (configured.code !== 0) return configured;
  const args = ['-C', buildDir, '-j', String(parallelJobs()), 'mediasoup-worker'];
  return tryCommand('ninja', args, { ...inSources, step, interest: /^\[\d+\/\d+\]/ });
}

/** As many compilers as there are cores, and as the memory has room for. */
function parallelJobs() {
  const cores = os.availableParallelism?.() ?? os.cpus().length; // the former since Node 18.14
  return Math.max(1, Math.min(cores, Math.floor(os.freemem() / COMPILER_BYTES)));
}
