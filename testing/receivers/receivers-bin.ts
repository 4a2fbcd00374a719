// Where the native program of the receivers lies: where the set-up says, or has built it now.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fromRoot } from '../../scripts/launch/child.ts';

/** Builds it, with what it takes, unless that was done before. */
export async function receiversBin(): Promise<string> {
  const named = process.env.RECEIVERS_BIN;
  if (named) return named;
  const set = [fromRoot('scripts/setup/receivers.mjs')];
  const { stdout } = await promisify(execFile)(process.execPath, set);
  return stdout.trim();
}
