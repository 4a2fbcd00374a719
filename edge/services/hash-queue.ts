// The queue of password hashing: a little at a time, and what cannot wait is refused at once.
import { problem } from '../problem.ts';
import type { PasswordHasher } from './passwords.ts';

/** A hash takes a tenth of a second: who comes behind so many waits for seconds, and is told to come again. */
export const hashesWaitingMax = 32;

/** Lets `runningMax` hashes be made at a time. Beyond those that may wait it refuses `busy`. */
export function createHashQueue(
  hasher: PasswordHasher,
  runningMax: number,
  waitingMax = hashesWaitingMax,
): PasswordHasher {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= runningMax) {
      if (waiting.length >= waitingMax) throw problem('busy');
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      // Whoever is next takes over the place.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  return {
    hash: (password) => inTurn(() => hasher.hash(password)),
    verify: (password, hash) => inTurn(() => hasher.verify(password, hash)),
  };
}
