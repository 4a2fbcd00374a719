// Earnings of now: what a performer has earned, fetched again soon after each tip.
import type { Earnings } from '#contract';
import type { Cancel, Clock } from './clock.ts';
import { createLoaded } from './load.ts';

/** Tips come in flurries: the figures are fetched once for all that came within this. */
export const settleMs = 800;
/** In a flurry without end the figures are fetched this often all the same. */
export const settleMaxMs = 4_000;

export function createEarnings(fetchEarnings: () => Promise<Earnings>, clock: Clock) {
  const earnings = createLoaded(fetchEarnings);
  let cancel: Cancel = () => {};
  let firstTipAtMs: number | null = null;

  function fetchNow(): void {
    firstTipAtMs = null;
    earnings.load();
  }

  return {
    ...earnings,
    onTip(): void {
      cancel();
      firstTipAtMs ??= clock.now();
      const longest = firstTipAtMs + settleMaxMs - clock.now();
      cancel = clock.after(Math.max(0, Math.min(settleMs, longest)), fetchNow);
    },
    close(): void {
      cancel();
    },
  };
}
export type EarningsModel = ReturnType<typeof createEarnings>;
