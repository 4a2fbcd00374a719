// Runs one of the product's TypeScript files with what the set-up found, as long as we live.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup } from './index.mjs';
import { modulesDir, rootDir } from './places.mjs';
import { exitWith } from './setup-error.mjs';

const parentWatch = fileURLToPath(new URL('parent-watch.mjs', import.meta.url));

/**
 * Sets up, runs the file to its end and exits the way it did.
 *
 * The child holds the reading end of a pipe on file descriptor 3, named by LIVEPANTY_PARENT_PIPE.
 * Nothing is ever written to it. Its end means that the child is to stop in an orderly way: either
 * we ended it (Ctrl-C), or we are gone, even by a SIGKILL, since the kernel then closes our side.
 *
 * @param {string} file relative to the checkout, or absolute
 * @param {string[]} args
 * @param {object} options
 * @param {boolean} options.forTests
 * @param {boolean} [options.watchesParent] the file itself reads the pipe; else a preload does, which
 *   sends its own process a SIGTERM
 * @returns {Promise<never>}
 */
export async function runProduct(file, args, { forTests, watchesParent = false }) {
  const programs = await setup({ forTests }).catch(exitWith);
  const preload = watchesParent ? [] : ['--import', parentWatch];
  const child = spawn(programs.node, [...preload, resolve(rootDir, file), ...args], {
    env: productEnv(programs),
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  const pipe = /** @type {import('node:net').Socket} */ (child.stdio[3]);
  pipe.on('error', () => {}); // The child may end first.

  process.on('SIGINT', () => {
    // A terminal has sent it to the child as well, and a second one would look like impatience. The
    // pipe is for the case that somebody sent it to us alone.
    if (!process.stdin.isTTY) child.kill('SIGINT');
    else if (watchesParent) pipe.end();
  });
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal));
  }

  child.once('error', exitWith);
  return new Promise(() => {
    // 128 + n is what a shell would say of a program that a signal ended.
    child.once('exit', (code, signal) =>
      process.exit(code ?? 128 + constants.signals[signal ?? 'SIGTERM']),
    );
  });
}

/**
 * @param {import('./index.mjs').Programs} programs
 * @returns {NodeJS.ProcessEnv}
 */
function productEnv({ node, mediasoupWorker, ffmpeg, redisServer, chromium }) {
  const path = [dirname(node), join(modulesDir, '.bin'), process.env.PATH ?? ''].join(delimiter);
  return {
    ...process.env,
    PATH: path,
    MEDIASOUP_WORKER_BIN: mediasoupWorker,
    FFMPEG_BIN: ffmpeg,
    REDIS_SERVER_BIN: redisServer,
    ...(chromium && { CHROMIUM_BIN: chromium }),
    LIVEPANTY_PARENT_PIPE: '3',
  };
}
