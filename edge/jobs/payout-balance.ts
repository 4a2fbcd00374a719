// The balance that payouts are paid from: asked for once a day, and compared with the books.
import { observePayoutBalance, readPayoutPosition } from '#db';
import type { Deps } from '../deps.ts';
import type { Lease } from './lease.ts';
import { followReversals } from './payout-reversals.ts';

/** One round. Answers by how many paise it differs; null when the gateway does not tell it. */
export async function comparePayoutBalance(deps: Deps, lease?: Lease): Promise<number | null> {
  if (!deps.payouts) return null;
  // What came back and was not told yet would differ.
  await followReversals(deps, lease);
  const position = await readPayoutPosition(deps.db);
  const balancePaise = await deps.payouts.readBalance();
  deps.failpoint('payout-balance.read');
  if (balancePaise === null) {
    deps.log.warn('the gateway does not tell the balance that payouts are paid from');
    return null;
  }
  const differsPaise = await observePayoutBalance(deps.db, { balancePaise, position });
  deps.failpoint('payout-balance.noted');
  if (differsPaise !== 0) deps.log.error('the balance of payouts differs', { differsPaise });
  return differsPaise;
}
