// The guard of a foreign program (postgres, redis-server, bun): runs it, and ends it when it is told to.
import { spawn } from 'node:child_process';
import { z } from 'zod';

/** What the guard is told in its one argument. */
const Guarded = z.object({
  file: z.string(),
  args: z.array(z.string()),
  cwd: z.string(),
  /** For the program alone: it may not suit the guard. */
  env: z.record(z.string(), z.string()),
  uid: z.number().optional(),
  gid: z.number().optional(),
  /** The signal by which the program ends in an orderly way. */
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
});
export type Guarded = z.infer<typeof Guarded>;

/** A program that does not end in an orderly way by then is killed. */
const stopTimeoutMs = 5_000;

function guard(program: Guarded): void {
  const child = spawn(program.file, program.args, {
    cwd: program.cwd,
    env: { ...process.env, ...program.env },
    stdio: ['ignore', 'inherit', 'inherit'],
    ...(program.uid === undefined ? {} : { uid: program.uid }),
    ...(program.gid === undefined ? {} : { gid: program.gid }),
  });
  child.once('error', (error) => {
    process.stderr.write(`${program.file} cannot be started: ${error.message}\n`);
    process.exit(127);
  });
  // With our parent gone nobody needs the exit code, but somebody may wait for the end.
  child.once('exit', (code) => process.exit(code ?? 1));

  const stop = () => {
    child.kill(program.stopSignal);
    setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // A crash on request: killed by its parent, so that it is also buried by its parent.
  process.once('SIGUSR2', () => child.kill('SIGKILL'));
}

guard(Guarded.parse(JSON.parse(process.argv[2] ?? '')));
