// Upkeep of money: earnings that have waited, goals and holds that are over, promotions that end, invoices.
import {
  closeGoals,
  expirePromotions,
  issueInvoices,
  releaseEarnings,
  settleEntries,
  settleReservations,
} from '#db';
import type { Deps } from '../deps.ts';

const perRoundMax = 200;

/** One round. */
export async function releaseWaitingEarnings(deps: Deps): Promise<{ performers: number }> {
  const released = await releaseEarnings(deps.db);
  deps.failpoint('earnings.released');
  return released;
}

/** One round. Answers how many reservations it closed. */
export async function closeReservations(deps: Deps): Promise<{ closed: number }> {
  await closeGoals(deps.db, perRoundMax);
  deps.failpoint('goals.closed');
  let closed = 0;
  for (;;) {
    const round = await settleReservations(deps.db, perRoundMax);
    deps.failpoint('reservations.closed');
    closed += round;
    if (round < perRoundMax) break;
  }
  await expirePromotions(deps.db, perRoundMax);
  deps.failpoint('promotions.expired');
  return { closed };
}

/** One round. Answers for how many entries to streams it has paid, or given back the tokens. */
export async function settleStreamEntries(deps: Deps): Promise<{ settled: number }> {
  const settled = await settleEntries(deps.db, perRoundMax);
  deps.failpoint('entries.settled');
  return { settled };
}

/** One round. Answers how many invoices and credit notes it numbered. */
export async function numberInvoices(deps: Deps): Promise<{ issued: number }> {
  const issued = await issueInvoices(deps.db, perRoundMax);
  deps.failpoint('invoices.issued');
  return { issued };
}
