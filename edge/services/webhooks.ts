// Webhooks of the gateway: whose they are, what they tell, and what is done about it.
import { z } from 'zod';
import { observeDispute, observePayout, observeRefund, Refusal } from '#db';
import type { Deps } from '../deps.ts';
import { Problem, problem } from '../problem.ts';
import { disputeFacts } from './dispute-life.ts';
import { GatewayPayment } from './gateway.ts';
import { GatewayDispute } from './gateway-disputes.ts';
import { GatewayRefund } from './gateway-refunds.ts';
import { takePayment } from './payment-life.ts';
import { GatewayPayout } from './payout-gateway.ts';
import { payoutFacts } from './payout-life.ts';
import { refundFacts } from './refund-life.ts';
import { verifyHmac } from './secrets.ts';
import { textToKeep } from './webhook-text.ts';

/** The envelope of every webhook; what is inside depends on the event. */
const entity = z.object({ entity: z.unknown() }).optional();
const Webhook = z.looseObject({
  event: z.string().max(100),
  payload: z
    .looseObject({ payment: entity, refund: entity, dispute: entity, payout: entity })
    .default({}),
});
export type Webhook = z.infer<typeof Webhook>;

/** Whether one of the secrets signed exactly these bytes; during a rotation there are two. */
export async function signedByGateway(
  secrets: readonly string[],
  raw: Uint8Array<ArrayBuffer>,
  signature: string,
): Promise<boolean> {
  for (const secret of secrets) {
    if (await verifyHmac(secret, raw, signature)) return true;
  }
  return false;
}

/** Signed but not what we were promised: `malformed-body`, and the gateway will say it again. */
export function parseWebhook(raw: Uint8Array): Webhook {
  try {
    return Webhook.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw)));
  } catch {
    throw problem('malformed-body');
  }
}

/**
 * Does what a webhook tells. Answers null when nothing is left to do, else why it could not be applied:
 * that is for staff to look at, and nothing that the gateway could mend by saying it again.
 */
export async function applyWebhook(deps: Deps, webhook: Webhook): Promise<string | null> {
  try {
    await tell(deps, webhook);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    // Without an answer of the gateway the event must come again.
    if (error instanceof Problem && error.code !== 'gateway-unavailable') return error.code;
    if (error instanceof z.ZodError) return 'malformed-body';
    throw error;
  }
}

async function tell(deps: Deps, { event, payload }: Webhook): Promise<void> {
  switch (subjectOf(event)) {
    case 'payment':
      await takePayment(deps, GatewayPayment.parse(payload.payment?.entity));
      return;
    case 'refund': {
      const facts = refundFacts(GatewayRefund.parse(payload.refund?.entity));
      if (!(await takeSubject(deps, payload, facts.gatewayPaymentId))) return;
      await observeRefund(deps.db, facts);
      deps.failpoint('webhook.refund-noted');
      return;
    }
    case 'dispute': {
      const dispute = GatewayDispute.parse(payload.dispute?.entity);
      requireRupees(dispute);
      await takeSubject(deps, payload, dispute.payment_id);
      await observeDispute(deps.db, disputeFacts(dispute));
      deps.failpoint('webhook.dispute-noted');
      return;
    }
    case 'payout': {
      const payout = GatewayPayout.parse(payload.payout?.entity);
      requireRupees(payout);
      await observePayout(deps.db, payoutFacts(payout));
      deps.failpoint('webhook.payout-noted');
      return;
    }
    case 'nothing':
      return;
    case null:
      throw problem('unknown-event', { event });
  }
}

/** All that we sell, give back and pay out is in rupees; other money of the same number is another amount. */
function requireRupees({ currency }: { currency: string }): void {
  if (currency !== 'INR') throw problem('payment-mismatch', { currency });
}

/**
 * The payment that comes along with what happened to it, first: its own webhooks may be late, or lost.
 * False when it was never captured: what became of it is nothing of ours.
 */
async function takeSubject(
  deps: Deps,
  payload: Webhook['payload'],
  gatewayPaymentId: string,
): Promise<boolean> {
  if (!payload.payment?.entity) return true;
  const payment = GatewayPayment.parse(payload.payment.entity);
  if (payment.id !== gatewayPaymentId) throw problem('payment-mismatch');
  const { state } = await takePayment(deps, payment);
  deps.failpoint('webhook.subject-taken');
  return state === 'captured';
}

const paymentEvents = new Set([
  'payment.authorized',
  'payment.captured',
  'payment.failed',
  'order.paid',
]);
/** Known, and read by jobs at their own pace. */
const quietEvents = new Set([
  'settlement.processed',
  'fund_account.validation.completed',
  'fund_account.validation.failed',
  'payment.downtime.started',
  'payment.downtime.updated',
  'payment.downtime.resolved',
]);

type Subject = 'payment' | 'refund' | 'dispute' | 'payout' | 'nothing';

/** Null for an event that is not known here. */
function subjectOf(event: string): Subject | null {
  if (paymentEvents.has(event)) return 'payment';
  if (quietEvents.has(event)) return 'nothing';
  if (event.startsWith('refund.')) return 'refund';
  if (event.startsWith('payment.dispute.')) return 'dispute';
  if (event.startsWith('payout.')) return 'payout';
  return null;
}

/** What is kept of a webhook: of those that move money what they say of it, of others nothing. */
export function keptOf({ event, payload }: Webhook): string {
  const subject = subjectOf(event);
  return subject === null || subject === 'nothing' ? '' : textToKeep(payload);
}
