// Recovery: something is broken while people watch, and the gap in the picture of each of them is measured.
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs, type Spell } from '../../../testing/receivers/receivers.ts';
import type { Viewer } from './audience.ts';
import { longestGapMs, quantile } from './gaps.ts';

/** Shorter ones are no gap: a few frames. */
export const gapMsMin = 150;
/** A picture that has flowed on for so long is back. */
const steadyMs = 2_000;
const lookEveryMs = 250;
/** Whatever is broken is noticed within this. */
const settleMsMin = 3_000;
const settleMsMax = 25_000;
/** The newest packet of a picture that flows is no older, the time of asking included. */
const quietMsMax = 1_000;

export interface Recovery {
  viewers: number;
  /** Who had a gap, and how long it was: of these. */
  affected: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
  /** Who has no picture any more. */
  lost: number;
}

export async function measureRecovery(
  viewers: readonly Viewer[],
  breakIt: () => Promise<void>,
): Promise<Recovery> {
  const fromMs = monotonicMs();
  await breakIt();
  const spells = await untilSteady(viewers);
  const window = { fromMs, toMs: monotonicMs(), quietMsMax };
  return recoveryOf(spells.map((one) => longestGapMs(one, window)));
}

export function recoveryOf(gapsMs: readonly number[]): Recovery {
  const affected = gapsMs.filter((gapMs) => gapMs >= gapMsMin);
  const of = (share: number) => (affected.length === 0 ? 0 : Math.round(quantile(affected, share)));
  return {
    viewers: gapsMs.length,
    affected: affected.length,
    p50Ms: of(0.5),
    p95Ms: of(0.95),
    maxMs: of(1),
    lost: affected.filter((gapMs) => gapMs === Number.POSITIVE_INFINITY).length,
  };
}

/** Resolves when every picture flows and has done so for a while, or the time is over. */
export async function untilSteady(viewers: readonly Viewer[]): Promise<Spell[][]> {
  const fromMs = monotonicMs();
  for (;;) {
    const spells = await Promise.all(viewers.map((viewer) => viewer.spells()));
    const nowMs = monotonicMs();
    const isSettled = nowMs - fromMs > settleMsMin;
    if (isSettled && spells.every((one) => isSteady(one, nowMs))) return spells;
    if (nowMs - fromMs > settleMsMax) return spells;
    await delay(lookEveryMs);
  }
}

function isSteady(spells: readonly Spell[], nowMs: number): boolean {
  const window = { fromMs: nowMs - steadyMs, toMs: nowMs, quietMsMax };
  const isOldEnough = spells.some(({ fromMs }) => fromMs < nowMs - steadyMs);
  return isOldEnough && longestGapMs(spells, window) < gapMsMin;
}
