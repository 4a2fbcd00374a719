// The ending of a payout that nobody sends any more, too old or held: the gateway is asked, and then the word of staff counts.
import type { EndPayoutBody } from '#contract';
import {
  endFoundPayout,
  endUnsentPayout,
  findPayoutToLookFor,
  type PayoutRow,
  type PayoutToLookFor,
} from '#db';
import type { Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { GatewayRefusal, unavailable } from './gateway-answer.ts';
import type { GatewayPayout, PayoutGateway } from './payout-gateway.ts';
import { payoutFacts } from './payout-life.ts';

/**
 * Ends it as one of the staff has found out. What the gateway knows goes before what they say: a payout
 * that it has did go out, and one that it shows otherwise is another one. Refuses `payout-exists`,
 * `payout-mismatch`, `gateway-unavailable`, and whatever the books refuse.
 */
export async function endPayout(
  deps: Deps,
  act: { payoutId: string; staffId: string; found: EndPayoutBody },
): Promise<PayoutRow> {
  const { payoutId, staffId, found } = act;
  const payout = await findPayoutToLookFor(deps.db, payoutId);
  if (!deps.payouts) throw problem('gateway-unavailable');
  const known = await findKnown(deps.payouts, payoutId);
  deps.failpoint('payout.looked-for');
  const said = { payoutId, staffId, reason: found.reason };
  if (found.type === 'never-sent') {
    refuseKnown(known);
    return endUnsentPayout(deps.db, said);
  }
  const { gatewayPayoutId } = found;
  if (!known.some(({ id }) => id === gatewayPayoutId)) refuseKnown(known);
  const shown = await deps.payouts.fetchPayout(gatewayPayoutId);
  deps.failpoint('payout.fetched');
  if (!shown || !isOf(payout, shown)) throw problem('payout-mismatch', { gatewayPayoutId });
  return endFoundPayout(deps.db, { ...said, facts: payoutFacts(shown) });
}

/** No answer but a list says anything: a gateway that refuses to search has not said that there is none. */
async function findKnown(bank: PayoutGateway, referenceId: string): Promise<GatewayPayout[]> {
  try {
    return await bank.findPayouts({ referenceId });
  } catch (error) {
    throw error instanceof GatewayRefusal ? unavailable(error) : error;
  }
}

function refuseKnown([known]: GatewayPayout[]): void {
  if (known) throw problem('payout-exists', { gatewayPayoutId: known.id, status: known.status });
}

/**
 * Whether what the gateway shows is this payout: the same money to the same account, under our reference, or
 * without any when somebody has paid it by hand since. Such a one must have left: that it failed says
 * nothing of ours.
 */
function isOf(payout: PayoutToLookFor, shown: GatewayPayout): boolean {
  if (
    shown.amount !== payout.netPaise ||
    shown.currency !== 'INR' ||
    shown.fund_account_id !== payout.gatewayFundAccountId
  ) {
    return false;
  }
  if (shown.reference_id) return shown.reference_id === payout.id;
  const hasLeft = ['sent', 'paid'].includes(payoutFacts(shown).status);
  return hasLeft && shown.created_at * 1000 >= Date.parse(payout.createdAt);
}
