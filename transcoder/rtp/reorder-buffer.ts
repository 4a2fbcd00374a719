// Reorder buffer: gives RTP packets back in the order in which they were sent, and says what is lost.
import type { RtpPacket } from './packet.ts';
import { createUnwrapper } from './unwrap.ts';

/** How many packets may wait for one that is missing. */
export const reorderPacketsMax = 128;
/** How long a packet may wait for one that is missing. */
export const reorderWaitMsMax = 60;
/** A jump further than this is a new start of the sender, not a loss. */
const sequenceJumpMax = 3_000;

export interface ReorderBuffer {
  push(packet: RtpPacket, nowMs: number): void;
  /** Gives up waiting where the wait has been too long; to be called every few milliseconds. */
  expire(nowMs: number): void;
}

/** `deliver` gets each packet once, in order; `lost` packets are missing before it. */
export function createReorderBuffer(
  deliver: (packet: RtpPacket, lost: number) => void,
): ReorderBuffer {
  const unwrap = createUnwrapper(16);
  const held = new Map<number, { packet: RtpPacket; sinceMs: number }>();
  let next: number | null = null;

  function drain(lost: number): void {
    let missing = lost;
    while (next !== null) {
      const entry = held.get(next);
      if (!entry) return;
      held.delete(next);
      next++;
      deliver(entry.packet, missing);
      missing = 0;
    }
  }

  function skipToOldest(): void {
    if (next === null || held.size === 0) return;
    const oldest = Math.min(...held.keys());
    const lost = oldest - next;
    next = oldest;
    drain(lost);
  }

  return {
    push(packet, nowMs) {
      const sequence = unwrap(packet.sequence);
      next ??= sequence;
      if (Math.abs(sequence - next) > sequenceJumpMax) {
        while (held.size > 0) skipToOldest();
        next = sequence;
        held.set(sequence, { packet, sinceMs: nowMs });
        drain(1);
        return;
      }
      if (sequence < next || held.has(sequence)) return;
      held.set(sequence, { packet, sinceMs: nowMs });
      drain(0);
      if (held.size > reorderPacketsMax) skipToOldest();
    },
    expire(nowMs) {
      for (const { sinceMs } of held.values()) {
        if (nowMs - sinceMs < reorderWaitMsMax) continue;
        skipToOldest();
        return;
      }
    },
  };
}
