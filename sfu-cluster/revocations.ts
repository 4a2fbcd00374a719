// Revocations as this node knows them: what they end here, and whether any of them may have been missed.
import {
  createRevocationList,
  isEndedBy,
  isHoldOn,
  type MediaHold,
  type Revocable,
  type Revocation,
  revocationsPageMax,
  type SfuReportAnswer,
} from '#contract';
import { refusal } from './refusals.ts';

/** So long after the last moment up to which nothing can have been missed, nobody new is admitted. */
export const unheardMaxSeconds = 60;

interface Holder {
  end(revocation: Revocation): void;
  /** From now on this is kept from everybody of that which the holder publishes. */
  hold(held: MediaHold): void;
}

interface Watched extends Holder {
  what: Revocable;
  /** The newest word on what is held of it. */
  heldSince: number;
}

export interface Revocations {
  /** The number up to which all are known; null before the edge has told where to begin. */
  readonly known: number | null;
  /** Whether enough is known to admit anybody. */
  readonly current: boolean;
  /** Throws a `Refusal` when one of them ends this, or when nobody can tell. */
  check(what: Revocable): void;
  /** Tells the holder of this what concerns it from now on, until the answer is called. */
  watch(what: Revocable, holder: Holder): () => void;
  /** Takes in one that Redis has told. */
  hear(revocation: Revocation): void;
  /** Takes in the edge's answer to a report that was sent at `askedAtMs`. */
  take(answer: Pick<SfuReportAnswer, 'revocations' | 'revocationsKnown'>, askedAtMs: number): void;
  /** From now on Redis tells every one; what it told before must still be asked for. */
  listening(): void;
  /** From now on Redis tells none. */
  deaf(): void;
}

export function createRevocations({
  onBehind,
  nowMs = () => performance.now(),
}: {
  /** Some are missing: the edge must be asked. */
  onBehind(): void;
  nowMs?: () => number;
}): Revocations {
  const list = createRevocationList(nowMs);
  /** By session, person and stream: each revocation names one of the three. */
  const watched = new Map<string, Set<Watched>>();
  let begun = false;
  /** The last moment of which it is certain that nothing was missing. */
  let completeAtMs = Number.NEGATIVE_INFINITY;
  /** Since when Redis has told everything; if that is since before then, nothing is missing now either. */
  let heardFromMs = Number.POSITIVE_INFINITY;

  const isComplete = () => heardFromMs < completeAtMs;

  /** What came before this moment may have been missed. */
  function mayHaveMissed(beforeMs: number): void {
    if (isComplete()) completeAtMs = nowMs();
    heardFromMs = beforeMs;
  }

  function isCurrent(): boolean {
    return isComplete() || nowMs() - completeAtMs <= unheardMaxSeconds * 1000;
  }

  /** Answers false when some before it are missing. */
  function apply(revocation: Revocation): boolean {
    const inOrder = list.add(revocation);
    const named = revocation.subject ?? revocation.streamId ?? '';
    for (const one of watched.get(named) ?? []) {
      if (isEndedBy(one.what, revocation)) one.end(revocation);
      if (isHoldOn(one.what, revocation)) keep(one, revocation);
    }
    return inOrder;
  }

  /** What Redis and the edge tell may come out of order. */
  function keep(one: Watched, { number, held }: Revocation): void {
    if (!held || number <= one.heldSince) return;
    one.heldSince = number;
    one.hold(held);
  }

  return {
    get known() {
      return begun ? list.last : null;
    },
    get current() {
      return isCurrent();
    },
    check(what) {
      if (list.ends(what)) throw refusal('revoked', 'the ticket was revoked; ask for a new one');
      if (!isCurrent()) throw refusal('unavailable', 'what was revoked is not known at the moment');
    },
    watch(what, { end, hold }) {
      const one: Watched = { what, end, hold, heldSince: 0 };
      // What was held since the ticket was signed has met nobody here.
      const held = list.holdOn(what);
      if (held) keep(one, held);
      const names = [what.sessionId, what.subject, what.streamId].filter((name) => name !== null);
      for (const name of names) {
        const those = watched.get(name) ?? new Set();
        watched.set(name, those.add(one));
      }
      return () => {
        for (const name of names) {
          const those = watched.get(name);
          those?.delete(one);
          if (those?.size === 0) watched.delete(name);
        }
      };
    },
    hear(revocation) {
      if (apply(revocation)) return;
      mayHaveMissed(nowMs());
      onBehind();
    },
    take({ revocations, revocationsKnown }, askedAtMs) {
      for (const revocation of revocations) apply(revocation);
      list.beginAt(revocationsKnown);
      begun = true;
      if (revocations.length >= revocationsPageMax) onBehind();
      else completeAtMs = Math.max(completeAtMs, askedAtMs);
    },
    listening() {
      mayHaveMissed(nowMs());
    },
    deaf() {
      mayHaveMissed(Number.POSITIVE_INFINITY);
    },
  };
}
