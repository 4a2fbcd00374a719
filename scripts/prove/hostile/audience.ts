// An audience that must not notice: native receivers of one stream, and what they have lost over a span.
import type { Receivers } from '../../../testing/receivers/receivers.ts';

export interface Span {
  packets: number;
  /** Of all packets that should have come. */
  lostShare: number;
  seconds: number;
}

/** Runs something and tells what the audience got meanwhile. */
export async function during<T>(
  receivers: Receivers,
  run: () => Promise<T>,
): Promise<{ result: T; span: Span }> {
  const atMs = performance.now();
  const before = await receivers.count();
  const result = await run();
  const after = await receivers.count();
  const packets = after.packets - before.packets;
  const gaps = after.gaps - before.gaps;
  return {
    result,
    span: {
      packets,
      lostShare: gaps / Math.max(1, packets + gaps),
      seconds: (performance.now() - atMs) / 1_000,
    },
  };
}
