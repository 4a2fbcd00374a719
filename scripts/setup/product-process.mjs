// Runs one of the product's TypeScript files with what the set-up found, as long as we live.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setup } from './index.mjs';
import { modulesDir, rootDir } from './places.mjs';
import { exitWith } from './setup-error.mjs';

const PARENT_POLL_MILLISECONDS = 500;

const parentWatch = new URL('parent-watch.mjs', import.meta.url).href;

/**
 * Sets up, runs the file to its end and exits the way it did.
 *
 * The child holds the reading end of a pipe, whose end sends it a SIGTERM (see parent-watch.mjs).
 *
 * @param {string} file relative to the checkout, or absolute
 * @param {string[]} args
 * @param {{ forTests: boolean }} options
 * @returns {Promise<never>}
 */
export async function runProduct(file, args, { forTests }) {
  // The set-up ends what it has started on its exit.
  let end = () => process.exit(1);
  whenNpmIsGone(() => end());

  const programs = await setup({ forTests }).catch(exitWith);
  const child = spawn(programs.node, ['--import', parentWatch, resolve(rootDir, file), ...args], {
    env: productEnv(programs),
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  const pipe = /** @type {import('node:net').Socket} */ (child.stdio[3]);
  pipe.on('error', () => {}); // The child may end first.
  end = () => pipe.destroy();

  process.on('SIGINT', () => {
    // A terminal has sent it to the child as well, and a second one would look like impatience. The
    // pipe is for the case that somebody sent it to us alone.
    if (process.stdin.isTTY) end();
    else child.kill('SIGINT');
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
 * npm gives us no pipe: that it was killed shows in whose child we are, or the shell is that it has put
 * between us. Without npm somebody may have left us behind on purpose, with `nohup` for instance.
 * @param {() => void} then
 */
function whenNpmIsGone(then) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const hasShell = procFile(parent, 'cmdline').split('\0')[1] === '-c';
  const npm = hasShell ? parentOf(parent) : undefined;
  const timer = setInterval(() => {
    if (process.ppid === parent && (!hasShell || parentOf(parent) === npm)) return;
    clearInterval(timer);
    then();
  }, PARENT_POLL_MILLISECONDS);
  timer.unref();
}

/** @param {number} pid */
function parentOf(pid) {
  return /^PPid:\s*(\d+)/m.exec(procFile(pid, 'status'))?.[1];
}

/**
 * @param {number} pid
 * @param {string} name
 * @returns {string} empty where the kernel does not tell
 */
function procFile(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * @param {import('./index.mjs').Programs} programs
 * @returns {NodeJS.ProcessEnv}
 */
function productEnv(programs) {
  const { node, mediasoupWorker, ffmpeg, redisServer } = programs;
  const { chromium, firefox, turnserver, receivers, whipClient } = programs;
  const path = [dirname(node), join(modulesDir, '.bin'), process.env.PATH ?? ''].join(delimiter);
  return {
    ...process.env,
    PATH: path,
    MEDIASOUP_WORKER_BIN: mediasoupWorker,
    FFMPEG_BIN: ffmpeg,
    REDIS_SERVER_BIN: redisServer,
    ...(chromium && { CHROMIUM_BIN: chromium }),
    ...(firefox && { FIREFOX_BIN: firefox }),
    ...(turnserver && { TURNSERVER_BIN: turnserver }),
    ...(receivers && { RECEIVERS_BIN: receivers }),
    ...(whipClient && { WHIP_CLIENT_BIN: whipClient }),
    LIVEPANTY_PARENT_PIPE: '3',
  };
}
