// A token bucket: lets bursts through and holds the mean rate.

interface TokenBucket {
  /** Takes one token, or says no when there is none. */
  take(): boolean;
}

/** `now` is in milliseconds and only its differences count. */
export function createTokenBucket(
  { ratePerSecond, burst }: { ratePerSecond: number; burst: number },
  now: () => number = () => performance.now(),
): TokenBucket {
  let tokens = burst;
  let filledAt = now();
  return {
    take() {
      const at = now();
      tokens = Math.min(burst, tokens + ((at - filledAt) / 1000) * ratePerSecond);
      filledAt = at;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
