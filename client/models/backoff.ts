// Back-off: how long to wait before trying again, so that many clients do not come back at once.

export type BackoffLimits = { firstMs: number; maxMs: number };

/** A dropped room socket: quick at first, because most drops are a blink. */
export const reconnectBackoff: BackoffLimits = { firstMs: 300, maxMs: 10_000 };
/** An API request that failed through no fault of its own. */
export const requestBackoff: BackoffLimits = { firstMs: 400, maxMs: 4_000 };

const exponentMax = 16;

/**
 * The wait before attempt `attempt` (0 is the first retry), in milliseconds: doubled each time up to
 * the cap, half of it fixed and half of it by chance.
 */
export function backoffMs(
  attempt: number,
  limits: BackoffLimits,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, exponentMax));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
