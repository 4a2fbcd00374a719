// A child process in a process group of its own, that ends when we do and leaves nobody behind.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Guarded } from './guard.ts';

/** How long an orderly end may take; a little more than the children give themselves. */
export const stopTimeoutMs = 7_000;
/** How long a guard may take to kill its program before it is killed itself. */
const guardTimeoutMs = 2_000;

export interface Command {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** It runs under a guard, which ends the program and then itself. */
  guarded?: boolean;
  /** How long its orderly end may take, when that is longer than `stopTimeoutMs`. */
  stopTimeoutMs?: number;
}

export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why it could not be started at all. */
  error?: Error;
}

export interface Child {
  readonly pid: number | undefined;
  readonly ended: Promise<ChildEnd>;
  /** Asks for an orderly end, and kills what has not ended in time. */
  stop(): Promise<ChildEnd>;
  /** Kills the program and all that it started, as a crash would. */
  kill(): Promise<ChildEnd>;
}

/** What every program needs from the environment; all else is given to it by name. */
const inheritedNames = ['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'NODE_OPTIONS'];

/** Whatever this process has started and that has not ended. */
const living = new Set<Child>();

/** Kills all that this process has started, and all that these have started. */
export async function killChildren(): Promise<void> {
  await Promise.all([...living].map((child) => child.kill()));
}

/**
 * Starts `command`; each line that it prints goes to `onLine`. The child holds the end of a pipe by
 * which it can tell that we are gone: our own Node processes watch it (see nodeCommand), and foreign
 * programs have a guard that does (see guardedCommand).
 */
export function startChild(command: Command, onLine: (line: string) => void): Child {
  const inherited = inheritedNames.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...Object.fromEntries(inherited), ...command.env, LIVEPANTY_PARENT_PIPE: '3' },
    // A group of its own: Ctrl-C reaches only us, and the group can be killed as one.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const pipe = child.stdio[3];
  pipe?.on('error', () => {
    // The child ended first.
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', onLine);
  }

  const killGroup = () => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      // Nobody of the group is left.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  };
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => {
      // Whatever it had started ends with it: workers, ffmpeg, workerd.
      killGroup();
      resolve({ code, signal });
    });
  });

  const endWithin = async (timeoutMs: number) => {
    const timer = setTimeout(killGroup, timeoutMs);
    const end = await ended;
    clearTimeout(timer);
    return end;
  };
  const self: Child = {
    pid: child.pid,
    ended,
    stop() {
      child.kill('SIGTERM');
      return endWithin(command.stopTimeoutMs ?? stopTimeoutMs);
    },
    kill() {
      if (!command.guarded) killGroup();
      else child.kill('SIGUSR2');
      return endWithin(guardTimeoutMs);
    },
  };
  living.add(self);
  ended.then(() => living.delete(self));
  return self;
}

/** The preload that ends a Node process with whoever holds the other end of its pipe. */
export const watchingParent = [
  '--import',
  new URL('../setup/parent-watch.mjs', import.meta.url).href,
];

/** The command that runs one of our own TypeScript files, or a package's script. */
export function nodeCommand(
  file: string,
  env: Record<string, string>,
  args: string[] = [],
): Command {
  return {
    file: process.execPath,
    args: [...watchingParent, fromRoot(file), ...args],
    cwd: fromRoot('.'),
    env,
  };
}

/**
 * The command that runs a foreign program under a guard, since it does not watch its parent itself.
 * Secrets belong in `env`: what is in `program` is an argument, which everybody on the machine can read.
 */
export function guardedCommand(program: Guarded, env: Record<string, string> = {}): Command {
  return {
    ...nodeCommand('scripts/launch/guard.ts', env, [JSON.stringify(program)]),
    guarded: true,
  };
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A path in the checkout; an absolute one stays as it is. */
export function fromRoot(path: string): string {
  return resolve(root, path);
}
