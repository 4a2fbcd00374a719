// A client of the sandbox's controls, for tests: typed, and loud when a control is refused.
import { z } from 'zod';
import { DisputeEntity, type DisputeStep } from './disputes.ts';
import { PaymentEntity, type PaymentMethod } from './entities.ts';
import type { Falsification } from './falsification.ts';
import type { FaultsPatch } from './faults.ts';
import { BankTransfer, type TransferFilter } from './payouts/payout-account.ts';
import { PayoutEntity, type PayoutStep } from './payouts/payout-entity.ts';
import type { StatusReason } from './payouts/status-details.ts';
import { type ValidationEnd, ValidationEntity } from './payouts/validations.ts';
import { RefundEntity } from './refunds.ts';
import { ReconItem, SettlementEntity } from './settlements.ts';
import { Transaction } from './transactions.ts';
import { WebhookEvent } from './webhook-event.ts';

/** So long the sandbox waits in one request. */
const settledStepMs = 30_000;

/** A control was refused. */
export class ControlRefused extends Error {
  readonly status: number;

  constructor(path: string, status: number, text: string) {
    super(`${path} answered ${status}: ${text}`);
    this.status = status;
  }
}

const Receipt = z.object({
  razorpay_payment_id: z.string(),
  razorpay_order_id: z.string(),
  razorpay_signature: z.string(),
});
const Paid = z.object({ payment: PaymentEntity, receipt: Receipt.nullable().default(null) });
const Settled = z.object({ settled: z.boolean(), pending: z.int() });
const Time = z.object({ offsetSeconds: z.int(), now: z.coerce.date() });
const Account = z.object({ account_number: z.string(), balancePaise: z.int() });

export interface DisputeOpeningPatch {
  phase?: DisputeEntity['phase'];
  reason_code?: string;
  amount?: number;
  amount_deducted?: number;
  respond_by?: number;
}

export type ControlClient = ReturnType<typeof createControlClient>;

/** Every method throws ControlRefused when the sandbox refuses. */
export function createControlClient(options: { url: string; keyId: string; keySecret: string }) {
  const authorization = `Basic ${btoa(`${options.keyId}:${options.keySecret}`)}`;

  async function ask<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown) {
    const answer = await fetch(`${options.url}/sandbox${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new ControlRefused(path, answer.status, await answer.text());
    return schema.parse(await answer.json());
  }

  const query = (parameters: object) => {
    const entries = Object.entries(parameters).filter(([, value]) => value !== undefined);
    return entries.length > 0 ? `?${new URLSearchParams(entries)}` : '';
  };

  return {
    setFaults: (patch: FaultsPatch) => ask(z.unknown(), 'POST', '/faults', patch),
    resetFaults: () => ask(z.unknown(), 'DELETE', '/faults'),
    moveClock: (offsetSeconds: number) => ask(Time, 'POST', '/clock', { offsetSeconds }),

    /** Waits until nothing happens by itself any more. */
    async settled(timeoutMs = 10_000): Promise<void> {
      for (let left = timeoutMs; ; left -= settledStepMs) {
        const path = `/settled?timeout_ms=${Math.min(left, settledStepMs)}`;
        const { settled, pending } = await ask(Settled, 'GET', path);
        if (settled) return;
        if (left <= settledStepMs) {
          throw new Error(`${pending} things are pending after ${timeoutMs} ms`);
        }
      }
    },

    /** The events of a payment, an order or any other entity, or all; oldest first. */
    async events(entityId?: string, name?: string): Promise<WebhookEvent[]> {
      const path = `/events${query({ entity_id: entityId, name })}`;
      const { events } = await ask(z.object({ events: z.array(WebhookEvent) }), 'GET', path);
      return events;
    },
    deliver: (eventId: string, copies = 1) =>
      ask(z.unknown(), 'POST', `/events/${eventId}/deliver`, { copies }),
    /** Delivers these in this order, each after the answer to the one before; the answers' statuses. */
    async deliverInOrder(ids: readonly string[]): Promise<(number | null)[]> {
      const answer = z.object({ statuses: z.array(z.int().nullable()) });
      return (await ask(answer, 'POST', '/events/deliver', { ids })).statuses;
    },

    pay: (
      orderId: string,
      attempt: { outcome?: 'success' | 'failure' | 'open'; method?: PaymentMethod } = {},
    ) => ask(Paid, 'POST', `/orders/${orderId}/pay`, attempt),
    approve: (paymentId: string, vpa?: string) =>
      ask(Paid, 'POST', `/payments/${paymentId}/approve`, { vpa }),
    decline: (paymentId: string) => ask(Paid, 'POST', `/payments/${paymentId}/decline`),
    expire: (paymentId: string) => ask(Paid, 'POST', `/payments/${paymentId}/expire`),
    authorizeLate: (paymentId: string) =>
      ask(Paid, 'POST', `/payments/${paymentId}/authorize-late`),

    endRefund: (refundId: string, status: 'processed' | 'failed') =>
      ask(RefundEntity, 'POST', `/refunds/${refundId}/end`, { status }),
    openDispute: (paymentId: string, opening: DisputeOpeningPatch = {}) =>
      ask(DisputeEntity, 'POST', `/payments/${paymentId}/disputes`, opening),
    stepDispute: (disputeId: string, status: DisputeStep) =>
      ask(DisputeEntity, 'POST', `/disputes/${disputeId}/step`, { status }),

    async waitingToSettle(): Promise<Transaction[]> {
      const answer = z.object({ items: z.array(Transaction) });
      return (await ask(answer, 'GET', '/settlements/waiting')).items;
    },
    settle: (falsification: z.input<typeof Falsification> = {}) =>
      ask(
        z.object({ settlement: SettlementEntity, items: z.array(ReconItem) }),
        'POST',
        '/settlements',
        falsification,
      ),

    payoutAccount: () => ask(Account, 'GET', '/payout-account'),
    setBalance: (balancePaise: number) => ask(Account, 'POST', '/payout-account', { balancePaise }),
    stepPayout: (payoutId: string, status: PayoutStep, reason?: StatusReason) =>
      ask(PayoutEntity, 'POST', `/payouts/${payoutId}/step`, { status, reason }),
    endValidation: (validationId: string, end: ValidationEnd, registeredName?: string) =>
      ask(ValidationEntity, 'POST', `/validations/${validationId}/end`, {
        end,
        registered_name: registeredName,
      }),
    /** Every bank transfer that really happened. */
    async transfers(filter: TransferFilter = {}): Promise<BankTransfer[]> {
      const answer = z.object({ transfers: z.array(BankTransfer) });
      return (await ask(answer, 'GET', `/transfers${query(filter)}`)).transfers;
    },
  };
}
