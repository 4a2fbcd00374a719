// Line patience: on a line that loses packets, pictures and sound wait until what is sent again is here, so that none is
// shown late or left out; on any other they wait for nothing.

/** A line is called lossy when such a share of its packets had to be sent again, */
export const lossyShareMin = 0.01;
/** looked at over so many packets, */
export const packetsLookedAt = 100;
/** and until so long after it was so last. */
export const patienceMs = 30_000;
/** What is lost is missed when the next frame comes, asked for, and repaired within this beyond the round trip. */
export const repairMs = 100;
/** Nobody waits longer. */
export const delayMsMax = 400;

export type Received = {
  nowMs: number;
  /** Of the picture, since the beginning. */
  packets: number;
  repaired: number;
  roundTripMs: number;
};

/** Answers for how long what comes is to be held back, in milliseconds. */
export function createLinePatience(): (received: Received) => number {
  let from = { packets: 0, repaired: 0 };
  let lossyUntilMs = Number.NEGATIVE_INFINITY;
  return ({ nowMs, packets, repaired, roundTripMs }) => {
    // Another picture is counted from its beginning.
    if (packets < from.packets) from = { packets: 0, repaired: 0 };
    const looked = packets - from.packets;
    if (looked >= packetsLookedAt) {
      if ((repaired - from.repaired) / looked >= lossyShareMin) lossyUntilMs = nowMs + patienceMs;
      from = { packets, repaired };
    }
    return nowMs < lossyUntilMs ? Math.min(delayMsMax, Math.round(roundTripMs) + repairMs) : 0;
  };
}
