// Path renewals: streams whose names are renewed because somebody was sent away; a storm of that costs little more than one.
import type { Id } from '#contract';

/**
 * The least time between two renewals of one stream: about a part, because a name counts from the next part on. It
 * could not be much longer: what somebody knows who is sent away meanwhile is good for this long in addition.
 */
export const renewalGapMs = 200;

export interface PathRenewals {
  /** Renews the names of this stream: at once, or as soon as the last time is long enough ago. */
  ask(streamId: Id): void;
  close(): void;
}

export function createPathRenewals(renew: (streamId: Id) => void): PathRenewals {
  /** Streams that were renewed a moment ago, and whether that is to be done again. */
  const resting = new Map<Id, { timer: NodeJS.Timeout; again: boolean }>();

  function ask(streamId: Id): void {
    const rest = resting.get(streamId);
    if (rest) {
      rest.again = true;
      return;
    }
    renew(streamId);
    resting.set(streamId, {
      timer: setTimeout(() => wakeUp(streamId), renewalGapMs),
      again: false,
    });
  }

  function wakeUp(streamId: Id): void {
    const again = resting.get(streamId)?.again ?? false;
    resting.delete(streamId);
    if (again) ask(streamId);
  }

  return {
    ask,
    close() {
      for (const { timer } of resting.values()) clearTimeout(timer);
      resting.clear();
    },
  };
}
