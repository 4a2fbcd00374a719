// Disputes: asks the gateway about those of late, in case a webhook was lost: money is at stake by a deadline.
import { listDisputes } from '#db';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import { takeDispute } from '../services/dispute-life.ts';
import { type Lease, unleased } from './lease.ts';

/** Older ones are asked about only while they are open here or there. */
const recentDays = 14;
const openDisputesMax = 1_000;

/** One round. Answers how many disputes it told the books of. */
export async function followDisputes(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ seen: number; failed: number }> {
  const result = { seen: 0, failed: 0 };
  const open = await listDisputes(deps.db, { onlyOpen: true, limit: openDisputesMax });
  const openHere = new Set(open.map((dispute) => dispute.gatewayDisputeId));
  const recentFrom = deps.now().getTime() / 1000 - recentDays * 24 * 3600;
  const disputes = await deps.gateway.listDisputes();
  deps.failpoint('dispute.listed');
  for (const dispute of disputes) {
    const isOpen = dispute.status === 'open' || dispute.status === 'under_review';
    if (!isOpen && !openHere.has(dispute.id) && dispute.created_at < recentFrom) continue;
    lease.check();
    try {
      await takeDispute(deps, dispute);
      deps.failpoint('dispute.noted');
      result.seen += 1;
    } catch (error) {
      result.failed += 1;
      deps.log.warn('dispute not followed', { disputeId: dispute.id, error: describeError(error) });
    }
  }
  return result;
}
