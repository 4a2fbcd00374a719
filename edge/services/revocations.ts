// Revocations as this instance knows them: asked of the database, and never older than a moment.
import {
  createRevocationList,
  type Revocable,
  type Revocation,
  revocationsPageMax,
} from '#contract';
import { type Db, firstRevocation, listRevocations } from '#db';

/** What is older is asked anew before anything is believed. */
const ageMsMax = 1_000;
/** Where time goes on between requests it is asked so often, so that no request waits for it. */
export const revocationsPaceMs = 500;

export interface Revocations {
  /** Whether this was ended before its time. Throws while nobody can tell. */
  ends(what: Revocable): Promise<boolean>;
  /** The number up to which all are known. */
  known(): Promise<number>;
  /** What whoever knows them up to a number has missed, no more than a page, and the number up to which they then know all. */
  since(known: number | null): Promise<{ revocations: Revocation[]; revocationsKnown: number }>;
  /** Takes in what this instance has just revoked itself. */
  add(revocations: readonly Revocation[]): void;
  /** Asks for what is new. */
  refresh(): Promise<void>;
}

/**
 * `sharesWork` is false where a request may not wait for what another one has asked, as on Workers: each then asks by
 * itself.
 */
export function createRevocations(
  db: Db,
  sharesWork: boolean,
  nowMs: () => number = () => performance.now(),
): Revocations {
  const list = createRevocationList(nowMs);
  let knownAtMs: number | null = null;
  let asking: Promise<void> | null = null;

  async function ask(): Promise<void> {
    const askedAtMs = nowMs();
    if (knownAtMs === null) list.beginAt(await firstRevocation(db));
    for (;;) {
      const page = await listRevocations(db, list.last);
      for (const revocation of page) list.add(revocation);
      if (page.length < revocationsPageMax) break;
    }
    knownAtMs = askedAtMs;
  }

  function refresh(): Promise<void> {
    if (!sharesWork) return ask();
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  }

  async function beUpToDate(): Promise<void> {
    if (knownAtMs === null || nowMs() - knownAtMs > ageMsMax) await refresh();
  }

  return {
    async ends(what) {
      await beUpToDate();
      return list.ends(what);
    },
    async known() {
      await beUpToDate();
      return list.last;
    },
    async since(known) {
      const from = known ?? (await firstRevocation(db));
      const revocations = await listRevocations(db, from);
      return { revocations, revocationsKnown: revocations.at(-1)?.number ?? from };
    },
    add(revocations) {
      for (const revocation of revocations) list.add(revocation);
    },
    refresh,
  };
}
