// The lifeline of a process: it ends on a signal, and when the process that started it is gone.
import { Socket } from 'node:net';

/** A shutdown that has not finished by then is cut off. */
const shutdownTimeoutMs = 5_000;

/**
 * Calls `onGone` once, when the pipe that `LIVEPANTY_PARENT_PIPE` names has ended: the parent has
 * closed it, or is gone, even by a SIGKILL.
 */
export function watchParent(onGone: () => void): void {
  const descriptor = process.env.LIVEPANTY_PARENT_PIPE;
  if (!descriptor) return;
  const pipe = new Socket({ fd: Number(descriptor), readable: true, writable: false });
  // An error is followed by `close`.
  pipe.on('error', () => {});
  pipe.once('close', onGone);
  pipe.resume();
  // Watching is no reason to go on running.
  pipe.unref();
}

/** Calls `shutDown` once, on SIGTERM, SIGINT or when the parent is gone, then ends the process. */
export function endWithParent(shutDown: () => Promise<void>): void {
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    const timer = setTimeout(() => process.exit(1), shutdownTimeoutMs);
    shutDown().then(
      () => {
        clearTimeout(timer);
        process.exit(0);
      },
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  watchParent(end);
}
