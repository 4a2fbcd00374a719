// Recoveries: how often something may fail and be begun again before it is given up.
import { recoveriesMax, recoveryWindowMs } from './limits.ts';

export interface Recoveries {
  /** Counts one; false when there were too many lately. */
  take(): boolean;
}

/** `now` is in milliseconds and only its differences count. */
export function createRecoveries(now: () => number = () => performance.now()): Recoveries {
  let atMs: number[] = [];
  return {
    take() {
      atMs = atMs.filter((each) => now() - each < recoveryWindowMs);
      if (atMs.length >= recoveriesMax) return false;
      atMs.push(now());
      return true;
    },
  };
}
