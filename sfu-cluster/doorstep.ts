// The doorstep: how many sockets may stand before the door at a time, with no ticket shown yet.
import { lineOf } from '#contract';
import { isInternal } from './addresses.ts';
import { createTally } from './tally.ts';

/** A share of all sockets only: whoever has joined is never crowded out by those who have not. */
export const waitingMax = 4_000;
/** One household, office or carrier gateway; after a restart all of its viewers come at once. */
export const waitingPerLineMax = 200;

interface Doorstep {
  /** Takes a place for a socket from there; null when there is none. The answer gives it back, once. */
  enter(address: string): (() => void) | null;
}

export function createDoorstep(limits = { waitingMax, waitingPerLineMax }): Doorstep {
  const byLine = createTally();
  return {
    enter(address) {
      // Behind a proxy that names nobody all come from one address: there only the total holds.
      const isShared = isInternal(address);
      const line = isShared ? 'internal' : lineOf(address);
      if (byLine.total >= limits.waitingMax) return null;
      if (!isShared && byLine.of(line) >= limits.waitingPerLineMax) return null;
      return byLine.take(line);
    },
  };
}
