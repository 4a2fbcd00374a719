// Runs a program for the set-up: its output to a log, its last interesting line to the progress.

import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { logsDir } from './places.mjs';
import { SetupError } from './setup-error.mjs';

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();

// However this process ends, what it started ends too.
process.on('exit', () => {
  for (const child of children) child.kill('SIGTERM');
});

/**
 * @typedef {object} CommandOptions
 * @property {string} log                     names the log file: setup-<log>.log
 * @property {boolean} [append]               to the log, instead of starting it anew
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]        in place of our own environment
 * @property {number} [timeoutSeconds]
 * @property {AbortSignal} [signal]
 * @property {import('./progress.mjs').Step} [step]
 * @property {RegExp} [interest]              lines to show; its first group, or the whole match
 */

/**
 * @typedef {object} CommandResult
 * @property {number} code     the exit code; 128 when a signal ended it
 * @property {string} output   its standard output
 * @property {string} logPath
 */

/**
 * Runs it and returns how it ended, well or not.
 * @param {string} program
 * @param {string[]} args
 * @param {CommandOptions} options
 * @returns {Promise<CommandResult>}
 */
export function tryCommand(program, args, options) {
  const { log, append = false, cwd, env, timeoutSeconds, signal, step, interest } = options;
  const logPath = join(logsDir, `setup-${log}.log`);
  mkdirSync(logsDir, { recursive: true });
  const logFile = createWriteStream(logPath, { flags: append ? 'a' : 'w' });
  logFile.write(`$ ${[program, ...args].join(' ')}\n`);

  return new Promise((done) => {
    let output = '';
    const child = spawn(program, args, {
      cwd,
      env: env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    const stop = (/** @type {string} */ why) => {
      logFile.write(`\n(stopped: ${why})\n`);
      child.kill('SIGKILL');
    };
    const timer =
      timeoutSeconds && setTimeout(() => stop(`over ${timeoutSeconds} s`), timeoutSeconds * 1000);
    const onAbort = () => stop(String(signal?.reason));
    signal?.addEventListener('abort', onAbort);

    /** @param {Buffer} chunk */
    const onData = (chunk) => {
      logFile.write(chunk);
      if (!step || !interest) return;
      for (const line of chunk.toString().split(/[\r\n]+/)) {
        const found = interest.exec(line);
        if (found) step.note(found[1] ?? found[0]);
      }
    };
    child.stdout.on('data', (chunk) => {
      output += chunk;
      onData(chunk);
    });
    child.stderr.on('data', onData);

    const end = (/** @type {number} */ code) => {
      clearTimeout(timer || undefined);
      signal?.removeEventListener('abort', onAbort);
      children.delete(child);
      logFile.end(() => done({ code, output, logPath }));
    };
    child.once('error', (error) => {
      logFile.write(`${error.message}\n`);
      end(127);
    });
    child.once('close', (code) => end(code ?? 128));
  });
}

/**
 * Runs it and throws when it fails.
 * @param {string} program
 * @param {string[]} args
 * @param {CommandOptions & { failure: string }} options `failure`: one sentence for the reader
 * @returns {Promise<string>} its standard output
 */
export async function command(program, args, options) {
  const { code, output, logPath } = await tryCommand(program, args, options);
  if (code !== 0) throw new SetupError(options.failure, { logPath });
  return output;
}
