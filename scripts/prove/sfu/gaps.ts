// Gaps: for how long nothing came to a viewer, over all that they received one after the other or side by side.
import type { Spell } from '../../../testing/receivers/receivers.ts';

/** The longest time without a packet that touches a window; Infinity when nothing came at the end of it. */
export function longestGapMs(
  spells: readonly Spell[],
  window: { fromMs: number; toMs: number; quietMsMax: number },
): number {
  const { fromMs, toMs, quietMsMax } = window;
  let longest = 0;
  let flowedUntilMs: number | null = null;
  for (const spell of spells.toSorted((one, other) => one.fromMs - other.fromMs)) {
    if (flowedUntilMs !== null && spell.fromMs > flowedUntilMs && spell.fromMs >= fromMs) {
      longest = Math.max(longest, spell.fromMs - flowedUntilMs);
    }
    flowedUntilMs = Math.max(flowedUntilMs ?? spell.toMs, spell.toMs);
  }
  if (flowedUntilMs === null || flowedUntilMs < toMs - quietMsMax) return Number.POSITIVE_INFINITY;
  return longest;
}

/** The value below which `share` of the samples lie. */
export { quantile } from '../../../testing/pixel-clock.ts';
