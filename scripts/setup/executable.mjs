// Finding programs without running them.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { SetupError } from './setup-error.mjs';

/**
 * @param {string | undefined} path
 * @returns {path is string}
 */
export function isExecutable(path) {
  if (!path) return false;
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // Absent or not ours to run: the same answer.
  }
}

/**
 * The first of these names that PATH knows.
 * @param {...string} names
 * @returns {string | undefined} absolute
 */
export function onPath(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute);
  for (const name of names) {
    const found = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (found) return found;
  }
  return undefined;
}

/**
 * What a variable such as FFMPEG_BIN names. Whoever sets one wants exactly that program, so a wrong
 * path is an error and not a reason to look elsewhere.
 * @param {string} variable
 * @returns {string | undefined} absolute
 */
export function fromEnvironment(variable) {
  const value = process.env[variable];
  if (!value) return undefined;
  const path = isAbsolute(value) ? value : onPath(value);
  if (!isExecutable(path)) {
    throw new SetupError(
      `${variable} is set to "${value}", which is not a program that can be run.`,
    );
  }
  return path;
}
