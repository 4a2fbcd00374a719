// The tip desk: takes tips to the database, one call each where nobody waits, many in one call under load.

import type { Db } from '#db';
import {
  isDatabaseAway,
  Refusal,
  type TipRequest,
  type TipResult,
  tip,
  tipMany,
  tipsPerCallMax,
} from '#db';
import { problem } from '../problem.ts';

/** Calls at once; more would only wait for each other's viewers, fewer would leave the database idle. */
const callsInFlightMax = 4;
/** Tips that wait for a call; beyond it they are refused with `unavailable`, to be tried again. */
const waitingMax = 10_000;

export interface TipDesk {
  /** Carries out a tip once per key. Throws Refusal, and Problem `unavailable` when too many wait. */
  tip(request: TipRequest): Promise<TipResult>;
}

/** One call for each tip: for Workers, where what belongs to one request may not serve another. */
export function createDirectTipDesk(db: Db): TipDesk {
  return { tip: (request) => tip(db, request) };
}

interface Waiting {
  request: TipRequest;
  resolve: (result: TipResult) => void;
  reject: (reason: unknown) => void;
}

/**
 * Tips that come while calls are under way go together in the next one: one round trip and one commit for
 * all of them, each with its own receipt or refusal.
 */
export function createBatchingTipDesk(db: Db): TipDesk {
  const waiting: Waiting[] = [];
  let inFlight = 0;

  function pump(): void {
    while (inFlight < callsInFlightMax && waiting.length > 0) {
      const batch = waiting.splice(0, tipsPerCallMax);
      inFlight += 1;
      post(db, batch, refuseWaiting).then(() => {
        inFlight -= 1;
        pump();
      });
    }
  }

  /** While the database is away, whoever waits would only be told the same, one time-out after the other. */
  function refuseWaiting(outage: unknown): void {
    for (const one of waiting.splice(0)) one.reject(outage);
  }

  return {
    tip(request) {
      if (waiting.length >= waitingMax) return Promise.reject(problem('unavailable'));
      return new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject });
        pump();
      });
    },
  };
}

/** Never throws: every tip of the batch is told what became of it, and `onOutage` that the database is away. */
async function post(
  db: Db,
  batch: readonly Waiting[],
  onOutage: (outage: unknown) => void,
): Promise<void> {
  const [only] = batch;
  if (only && batch.length === 1) return postAlone(db, only, onOutage);
  try {
    const answers = await tipMany(
      db,
      batch.map(({ request }) => request),
    );
    for (const [index, one] of batch.entries()) {
      const answer = answers[index];
      if (answer === undefined || answer instanceof Refusal) one.reject(answer);
      else one.resolve(answer);
    }
  } catch (error) {
    // A database that is away is away for each of them. Anything else was one tip's fault, and undid all:
    // alone the others go through.
    if (!isDatabaseAway(error)) {
      await Promise.all(batch.map((one) => postAlone(db, one, onOutage)));
      return;
    }
    onOutage(error);
    for (const one of batch) one.reject(error);
  }
}

async function postAlone(db: Db, one: Waiting, onOutage: (outage: unknown) => void): Promise<void> {
  try {
    one.resolve(await tip(db, one.request));
  } catch (error) {
    if (isDatabaseAway(error)) onOutage(error);
    one.reject(error);
  }
}
