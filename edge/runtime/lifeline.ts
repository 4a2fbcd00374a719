// The lifeline: a service ends when it is told to, and when the process that started it is gone.
import { Socket } from 'node:net';

const closeTimeoutMs = 5_000;

/** Calls `close` once on SIGTERM, SIGINT, or the end of the pipe that the launcher holds. */
export function endWithParent(close: () => Promise<void>): void {
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    const timer = setTimeout(() => process.exit(1), closeTimeoutMs);
    timer.unref();
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  const descriptor = process.env.LIVEPANTY_PARENT_PIPE;
  if (descriptor) {
    const pipe = new Socket({ fd: Number(descriptor), readable: true, writable: false });
    pipe.on('close', end);
    pipe.on('error', end);
    pipe.resume();
    pipe.unref();
  }
}
