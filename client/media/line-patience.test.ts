// Tests of the patience with a line: when and for how long what comes is held back.
import { expect, test } from 'vitest';
import {
  createLinePatience,
  delayMsMax,
  packetsLookedAt,
  patienceMs,
  repairMs,
} from './line-patience.ts';

/** A line over which packets come, of which such a share had to be sent again. */
function createLine() {
  const delayOf = createLinePatience();
  let packets = 0;
  let repaired = 0;
  return (nowMs: number, share: number, roundTripMs = 100) => {
    packets += packetsLookedAt;
    repaired += packetsLookedAt * share;
    return delayOf({ nowMs, packets, repaired, roundTripMs });
  };
}

test('on a good line nothing is held back', () => {
  const hear = createLine();
  expect([hear(0, 0), hear(1_000, 0.005)]).toEqual([0, 0]);
});

test('on a lossy line there is time for a packet to be sent again, until it is good for a while', () => {
  const hear = createLine();
  expect(hear(0, 0.05)).toBe(100 + repairMs);
  expect(hear(1_000, 0, 300)).toBe(300 + repairMs);
  expect(hear(patienceMs - 1, 0)).toBe(100 + repairMs);
  expect(hear(patienceMs, 0)).toBe(0);
});

test('nobody waits for a line that is slower than that', () => {
  expect(createLine()(0, 0.05, 5_000)).toBe(delayMsMax);
});

test('few packets say nothing, and another picture begins anew', () => {
  const delayOf = createLinePatience();
  const at = { nowMs: 0, roundTripMs: 100 };
  expect(delayOf({ ...at, packets: packetsLookedAt - 1, repaired: 50 })).toBe(0);
  expect(delayOf({ ...at, packets: 1_000, repaired: 0 })).toBe(0);
  expect(delayOf({ ...at, packets: packetsLookedAt, repaired: 10 })).toBeGreaterThan(0);
});
