// Revocations: what the edge has ended, as far as it was heard here, and whether that may be relied on.
import {
  createRevocationList,
  type Revocable,
  type Revocation,
  revocationsPageMax,
  type TranscoderReportAnswer,
} from '#contract';

/** Who has heard neither Redis nor the edge for so long cannot tell any more what has been ended. */
export const silenceMsMax = 60_000;

export interface Revocations {
  /** The number up to which all are known, as reports tell it; null before the first answer. */
  readonly known: number | null;
  /** Why nobody can tell at the moment what has been ended; null when all is well. */
  readonly doubt: string | null;
  ends(what: Revocable): boolean;
  /** Takes in one that came on Redis. */
  hear(revocation: Revocation): void;
  /** Takes in those of an answer to a report; answers false when there are more to ask for. */
  take(answer: Pick<TranscoderReportAnswer, 'revocations' | 'revocationsKnown'>): boolean;
  /** Redis is there, and everything that it was given before has been heard. */
  redisIsAlive(): void;
}

export interface RevocationsOptions {
  /** It ends what was signed before it; may be told twice. */
  onRevoked(revocation: Revocation): void;
  /** Some are missing: they should be asked for at once. */
  onGap(): void;
  nowMs?(): number;
}

export function createRevocations(options: RevocationsOptions): Revocations {
  const nowMs = options.nowMs ?? (() => performance.now());
  const list = createRevocationList(nowMs);
  let answered = false;
  /** A whole list has been here once. */
  let whole = false;
  let heardAtMs = 0;
  let newest = 0;

  function add(revocation: Revocation): void {
    list.add(revocation);
    newest = Math.max(newest, revocation.number);
    options.onRevoked(revocation);
  }

  return {
    get known() {
      return answered ? list.last : null;
    },
    get doubt() {
      if (!whole) return 'the edge has not told yet what has been ended';
      return nowMs() - heardAtMs > silenceMsMax ? 'neither Redis nor the edge is heard' : null;
    },
    ends: (what) => list.ends(what),
    hear(revocation) {
      add(revocation);
      if (answered && list.last < newest) options.onGap();
    },
    take({ revocations, revocationsKnown }) {
      for (const revocation of revocations) add(revocation);
      list.beginAt(revocationsKnown);
      answered = true;
      if (revocations.length >= revocationsPageMax) return false;
      whole = true;
      heardAtMs = nowMs();
      return true;
    },
    redisIsAlive() {
      // While some are known to be missing, Redis alone is no proof that none is.
      if (list.last >= newest) heardAtMs = nowMs();
    },
  };
}
