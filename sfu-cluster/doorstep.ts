// The doorstep: how many sockets may stand before the door at a time, with no ticket shown yet.
import { lineOf } from '#contract';
import { isInternal } from './addresses.ts';

/** A share of all sockets only: whoever has joined is never crowded out by those who have not. */
export const waitingMax = 4_000;
/** One household, office or carrier gateway; after a restart all of its viewers come at once. */
export const waitingPerLineMax = 200;

interface Doorstep {
  /** Takes a place for a socket from there; null when there is none. The answer gives it back, once. */
  enter(address: string): (() => void) | null;
}

export function createDoorstep(limits = { waitingMax, waitingPerLineMax }): Doorstep {
  const byLine = new Map<string, number>();
  let waiting = 0;
  return {
    enter(address) {
      // Behind a proxy that names nobody all come from one address: there only the total holds.
      const line = isInternal(address) ? null : lineOf(address);
      const ofLine = line === null ? 0 : (byLine.get(line) ?? 0);
      if (waiting >= limits.waitingMax || ofLine >= limits.waitingPerLineMax) return null;
      waiting += 1;
      if (line !== null) byLine.set(line, ofLine + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        waiting -= 1;
        if (line === null) return;
        const rest = (byLine.get(line) ?? 1) - 1;
        if (rest > 0) byLine.set(line, rest);
        else byLine.delete(line);
      };
    },
  };
}
