// The events that the sandbox tells of, with Razorpay's names.
import { z } from 'zod';

export const EventName = z.enum([
  'payment.authorized',
  'payment.captured',
  'payment.failed',
  'order.paid',
  'refund.created',
  'refund.processed',
  'refund.failed',
  'payment.dispute.created',
  'payment.dispute.under_review',
  'payment.dispute.action_required',
  'payment.dispute.won',
  'payment.dispute.lost',
  'payment.dispute.closed',
  'settlement.processed',
  'fund_account.validation.completed',
  'fund_account.validation.failed',
  'payout.pending',
  'payout.queued',
  'payout.initiated',
  'payout.processed',
  'payout.updated',
  'payout.failed',
  'payout.reversed',
  'payout.rejected',
]);
export type EventName = z.infer<typeof EventName>;

/** RazorpayX has a webhook address and secret of its own. */
export const Channel = z.enum(['gateway', 'payouts']);
export type Channel = z.infer<typeof Channel>;

export interface SandboxEvent {
  name: EventName;
  /** The entities that the event contains, by name, in their order. */
  payload: Record<string, object>;
  /** The ids by which the event can be looked up. */
  about: { entityId: string; paymentId?: string; orderId?: string };
}

export type Publish = (event: SandboxEvent) => void;

export function channelOf(name: EventName): Channel {
  return name.startsWith('payout.') || name.startsWith('fund_account.') ? 'payouts' : 'gateway';
}
