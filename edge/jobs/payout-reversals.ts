// Reversals: asks the bank which payouts came back after they were paid, in case a webhook was lost.
import { observePayout } from '#db';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import { payoutFacts } from '../services/payout-life.ts';
import { type Lease, unleased } from './lease.ts';

/** A bank that sends money back does so within days. */
const daysLookedAt = 30;

/** One round. Answers how many reversed payouts it told the books of. */
export async function followReversals(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ seen: number; failed: number }> {
  const result = { seen: 0, failed: 0 };
  if (!deps.payouts) return result;
  const since = new Date(deps.now().getTime() - daysLookedAt * 24 * 3600 * 1000);
  const reversed = await deps.payouts.listReversed({ since });
  deps.failpoint('reversal.listed');
  for (const payout of reversed) {
    lease.check();
    try {
      await observePayout(deps.db, payoutFacts(payout));
      deps.failpoint('reversal.noted');
      result.seen += 1;
    } catch (error) {
      result.failed += 1;
      deps.log.warn('reversal not noted', { payoutId: payout.id, error: describeError(error) });
    }
  }
  return result;
}
