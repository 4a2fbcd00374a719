// Processors: one for the server that is measured, the others for the load.
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import type { Command } from '../../scripts/launch/child.ts';

const run = promisify(execFile);
const serverCore = '0';

/** Leaves the first processor to servers: what this process starts from now on stays off it, unless it is pinned. */
export async function leaveServerCore(): Promise<void> {
  const cores = availableParallelism();
  if (process.platform !== 'linux' || cores < 2) {
    throw new Error(
      'this bench needs Linux with two processors: one for the server, one for the load',
    );
  }
  await run('taskset', [
    '--all-tasks',
    '--pid',
    '--cpu-list',
    `1-${cores - 1}`,
    String(process.pid),
  ]);
}

/** The same command on the server's processor alone. */
export function pinned(command: Command): Command {
  const { file, args } = command;
  return { ...command, file: 'taskset', args: ['--cpu-list', serverCore, file, ...args] };
}
