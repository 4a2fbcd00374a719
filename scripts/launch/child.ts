// A child process in a process group of its own, that ends when we do and leaves nobody behind.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Guarded } from './guard.ts';

/** How long an orderly end may take; a little more than the children give themselves. */
export const stopTimeoutMs = 7_000;

export interface Command {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** It runs under a guard, which ends the program and then itself. */
  guarded?: boolean;
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

/** Starts `command`; each line that it prints goes to `onLine`. */
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

  return {
    pid: child.pid,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(killGroup, stopTimeoutMs);
      const end = await ended;
      clearTimeout(timer);
      return end;
    },
    async kill() {
      if (!command.guarded) killGroup();
      else child.kill('SIGUSR2');
      return ended;
    },
  };
}

/** The command that runs one of our own TypeScript files. */
export function nodeCommand(
  file: string,
  env: Record<string, string>,
  args: string[] = [],
): Command {
  return { file: process.execPath, args: [fromRoot(file), ...args], cwd: fromRoot('.'), env };
}

/** The command that runs a foreign program under a guard, since it does not watch its parent itself. */
export function guardedCommand(program: Guarded): Command {
  return {
    ...nodeCommand('scripts/launch/guard.ts', {}, [JSON.stringify(program)]),
    guarded: true,
  };
}

/** A path in the checkout. */
export function fromRoot(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
