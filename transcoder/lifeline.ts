// Lifeline: tells when the process should end, by a signal or because its launcher is gone.
import { Socket } from 'node:net';

/** Calls `end` once; a second signal ends the process at once. */
export function watchLifeline(parentPipe: number | null, end: (why: string) => void): void {
  let ending = false;
  const once = (why: string) => {
    if (ending) {
      if (why.startsWith('SIG')) process.exit(1);
      return;
    }
    ending = true;
    end(why);
  };
  process.on('SIGTERM', () => once('SIGTERM'));
  process.on('SIGINT', () => once('SIGINT'));
  if (parentPipe === null) return;
  const pipe = new Socket({ fd: parentPipe, readable: true, writable: false });
  pipe.on('error', () => once('the launcher is gone'));
  pipe.on('close', () => once('the launcher is gone'));
  pipe.resume();
  // The pipe alone is no reason to stay.
  pipe.unref();
}
