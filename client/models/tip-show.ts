// The tip show: tips wait in line to be shown over the picture, one at a time, the larger the longer.
import { signal } from '@preact/signals';
import type { Cancel, Clock } from './clock.ts';

/** Tips waiting to be shown; when more come, the smallest gives way. */
export const queueMax = 30;
/** So many tips that wait make each show half as long, twice as many a third, and so on. */
export const crowdTips = 3;
/** No show is shorter: it could not be read, and must not flicker. */
export const showMsMin = 900;

/** From which amount a tip gets which show, and for how long. */
export const tiers = [
  { name: 'crown', fromTokens: 1_000, showMs: 6_500 },
  { name: 'burst', fromTokens: 250, showMs: 5_000 },
  { name: 'glow', fromTokens: 50, showMs: 4_000 },
  { name: 'spark', fromTokens: 0, showMs: 2_800 },
] as const;
export type TierName = (typeof tiers)[number]['name'];

export type ShownTip = {
  id: number;
  username: string | null;
  amountTokens: number;
  message: string;
};

export function tierOf(amountTokens: number): (typeof tiers)[number] {
  return tiers.find((tier) => amountTokens >= tier.fromTokens) ?? tiers[3];
}

/** How long a tip is shown while so many others wait, so that the last is not shown minutes late. */
export function showMsOf(amountTokens: number, waiting: number): number {
  return Math.max(showMsMin, tierOf(amountTokens).showMs / (1 + waiting / crowdTips));
}

export function createTipShow(clock: Clock) {
  const current = signal<ShownTip | null>(null);
  let queue: ShownTip[] = [];
  let cancel: Cancel = () => {};

  function next(): void {
    const tip = queue.shift() ?? null;
    current.value = tip;
    if (tip) cancel = clock.after(showMsOf(tip.amountTokens, queue.length), next);
  }

  return {
    current,
    add(tip: ShownTip): void {
      queue.push(tip);
      if (queue.length > queueMax) {
        const smallest = queue.reduce((a, b) => (b.amountTokens < a.amountTokens ? b : a));
        queue = queue.filter((waiting) => waiting !== smallest);
      }
      if (!current.peek()) next();
    },
    close(): void {
      cancel();
      queue = [];
      current.value = null;
    },
  };
}
export type TipShow = ReturnType<typeof createTipShow>;
