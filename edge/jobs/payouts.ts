// Payouts: sends approved ones to the bank under one key each, and asks about them until their end is known.
import { leavePayout, observePayout, openCase, type PayoutToSend, takePayoutsToSend } from '#db';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import { GatewayRefusal, unavailable } from '../services/gateway-answer.ts';
import {
  type GatewayPayout,
  type PayoutGateway,
  payoutKeyTtlSeconds,
} from '../services/payout-gateway.ts';
import { payoutFacts } from '../services/payout-life.ts';
import { type Lease, unleased } from './lease.ts';

const payoutsPerRoundMax = 50;
const narration = 'LivePanty earnings';
/** The bank carries more at once another way, which takes it hours instead of seconds. */
const impsPaiseMax = 50_000_000;

/** One round. Answers how many it looked after. Only one runner at a time: see the job's lease. */
export async function sendPayouts(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ sent: number; failed: number }> {
  const result = { sent: 0, failed: 0 };
  if (!deps.payouts) return result;
  const payouts = await takePayoutsToSend(deps.db, payoutsPerRoundMax);
  deps.failpoint('payout.taken');
  for (const payout of payouts) {
    lease.check();
    try {
      await sendPayout(deps, deps.payouts, payout);
      result.sent += 1;
    } catch (error) {
      // Whether it was carried out is not known: it comes again with the same key.
      result.failed += 1;
      deps.log.warn('payout not known yet', { payoutId: payout.id, error: describeError(error) });
    }
  }
  return result;
}

async function sendPayout(deps: Deps, bank: PayoutGateway, payout: PayoutToSend): Promise<void> {
  try {
    const sent = payout.gatewayPayoutId
      ? await bank.fetchPayout(payout.gatewayPayoutId)
      : await findOrPay(deps, bank, payout);
    deps.failpoint('payout.sent');
    if (!sent && payout.gatewayPayoutId) {
      deps.log.error('the bank does not know a payout any more', { payoutId: payout.id });
    }
    if (sent) await observePayout(deps.db, { ...payoutFacts(sent), payoutId: payout.id });
  } catch (error) {
    if (!(error instanceof GatewayRefusal) || payout.gatewayPayoutId) throw error;
    // Refused for good: nothing was paid and nothing will be, so the money is available again.
    deps.log.error('payout refused by the bank', { payoutId: payout.id, error: String(error) });
    await observePayout(deps.db, {
      payoutId: payout.id,
      gatewayPayoutId: `refused_${payout.id}`,
      amountPaise: payout.netPaise,
      status: 'failed',
      failure: error.description,
    });
  }
  deps.failpoint('payout.noted');
}

/**
 * The first attempt pays. Every later one looks for what an earlier one did before it pays again with the
 * same key; a key that the gateway may have forgotten is never used, and somebody has to look. Nothing is
 * paid while payouts of this performer are held, but what may have left is looked for all the same.
 */
async function findOrPay(
  deps: Deps,
  bank: PayoutGateway,
  payout: PayoutToSend,
): Promise<GatewayPayout | null> {
  if (payout.firstAttemptAt) {
    const found = await find(bank, payout.id);
    deps.failpoint('payout.searched');
    if (found) return found;
    const ageSeconds = (deps.now().getTime() - Date.parse(payout.firstAttemptAt)) / 1000;
    if (ageSeconds > payoutKeyTtlSeconds / 2) {
      await openCase(deps.db, {
        kind: 'payout-too-old-to-send',
        subject: payout.id,
        details: { attempts: payout.attempts },
      });
      deps.failpoint('payout.too-old');
      return null;
    }
  }
  const mayLeave = await leavePayout(deps.db, { payoutId: payout.id, attempts: payout.attempts });
  deps.failpoint('payout.leaving');
  if (!mayLeave) return null;
  return bank.pay({
    fundAccountId: payout.gatewayFundAccountId ?? '',
    amountPaise: payout.netPaise,
    mode: modeOf(payout),
    idempotencyKey: payout.id,
    referenceId: payout.id,
    narration,
  });
}

/** A gateway that refuses to search has not said that there is none. */
async function find(bank: PayoutGateway, referenceId: string): Promise<GatewayPayout | undefined> {
  try {
    return (await bank.findPayouts({ referenceId }))[0];
  } catch (error) {
    throw error instanceof GatewayRefusal ? unavailable(error) : error;
  }
}

/** The same for the same payout, whenever it is asked: another one would be another request under its key. */
function modeOf(payout: PayoutToSend): 'UPI' | 'IMPS' | 'NEFT' {
  if (payout.kind === 'upi') return 'UPI';
  return payout.netPaise > impsPaiseMax ? 'NEFT' : 'IMPS';
}
