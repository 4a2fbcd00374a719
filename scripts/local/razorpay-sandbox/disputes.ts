// Disputes: opened by a control as a buyer's bank does, accepted or contested by the merchant, and decided.
import { z } from 'zod';
import type { Clock } from './clock.ts';
import { type ContestRequest, Evidence, noEvidence } from './contest-request.ts';
import { newEntityId } from './entity-id.ts';
import { createEntityStore, type ListQuery, page } from './entity-store.ts';
import type { EventName, Publish } from './event.ts';
import type { Gateway } from './gateway.ts';
import { badField, GatewayRefusal } from './refusal.ts';

const disputesMax = 10_000;

export const DisputePhase = z.enum([
  'fraud',
  'retrieval',
  'chargeback',
  'pre_arbitration',
  'arbitration',
]);

export const DisputeEntity = z.object({
  id: z.string(),
  entity: z.literal('dispute'),
  payment_id: z.string(),
  amount: z.int(),
  currency: z.string(),
  amount_deducted: z.int(),
  reason_code: z.string(),
  respond_by: z.int(),
  status: z.enum(['open', 'under_review', 'won', 'lost', 'closed']),
  phase: DisputePhase,
  created_at: z.int(),
  evidence: Evidence,
});
export type DisputeEntity = z.infer<typeof DisputeEntity>;

export const DisputesState = z.object({ disputes: z.array(DisputeEntity) });
export type DisputesState = z.infer<typeof DisputesState>;

export interface DisputeOpening {
  phase: z.infer<typeof DisputePhase>;
  reason_code: string;
  amount: number | null;
  /** What is taken from the merchant before anything is decided. */
  amount_deducted: number;
  respond_by: number;
}

/** What can become of a dispute; `action_required` opens it again. */
export const DisputeStep = z.enum(['under_review', 'action_required', 'won', 'lost', 'closed']);
export type DisputeStep = z.infer<typeof DisputeStep>;

export type Disputes = ReturnType<typeof createDisputes>;

export function createDisputes(options: {
  state: DisputesState;
  gateway: Gateway;
  /** `amount` moves to the merchant when it is positive, and away when it is negative. */
  adjusted: (dispute: DisputeEntity, amount: number, description: string) => void;
  clock: Clock;
  publish: Publish;
}) {
  const { gateway, clock } = options;
  const byPayment = new Map<string, DisputeEntity[]>();
  const store = createEntityStore({
    max: disputesMax,
    entities: options.state.disputes,
    forget: ({ payment_id }) => byPayment.get(payment_id)?.shift(),
  });
  for (const dispute of options.state.disputes) remember(dispute);

  function remember(dispute: DisputeEntity): void {
    const known = byPayment.get(dispute.payment_id);
    if (known) known.push(dispute);
    else byPayment.set(dispute.payment_id, [dispute]);
  }

  function tell(name: EventName, dispute: DisputeEntity): void {
    const payment = gateway.payment(dispute.payment_id);
    options.publish({
      name,
      payload: { payment, dispute },
      about: { entityId: dispute.id, paymentId: payment.id, orderId: payment.order_id },
    });
  }

  /** Takes or returns the difference to what has been deducted so far. */
  function deduct(dispute: DisputeEntity, amount: number): void {
    const difference = dispute.amount_deducted - amount;
    dispute.amount_deducted = amount;
    if (difference === 0) return;
    const description = difference < 0 ? 'Debit against dispute' : 'Reversal of dispute debit';
    options.adjusted(dispute, difference, `${description} ${dispute.id}`);
  }

  function step(dispute: DisputeEntity, to: DisputeStep): void {
    dispute.status = to === 'action_required' ? 'open' : to;
    if (to === 'lost') deduct(dispute, dispute.amount);
    if (to === 'won' || to === 'closed') deduct(dispute, 0);
    tell(`payment.dispute.${to}`, dispute);
  }

  /** @throws GatewayRefusal when the merchant can no longer answer. */
  function answerable(disputeId: string): DisputeEntity {
    const dispute = store.get(disputeId);
    if (dispute.status !== 'open')
      refuse(`Action not allowed on a dispute that is ${dispute.status}`);
    if (clock.nowSeconds() > dispute.respond_by) {
      refuse('Action not allowed after the time to respond has passed');
    }
    return dispute;
  }

  return {
    /** @throws GatewayRefusal when there is no such captured payment. */
    open(paymentId: string, opening: DisputeOpening): DisputeEntity {
      const payment = gateway.payment(paymentId);
      if (!payment.captured) throw badField('payment_id', 'Only captured payments can be disputed');
      const amount = opening.amount ?? payment.amount;
      if (amount > payment.amount || opening.amount_deducted > amount) {
        throw badField('amount', 'More than the payment cannot be disputed or deducted');
      }
      const dispute: DisputeEntity = {
        id: newEntityId('disp'),
        entity: 'dispute',
        payment_id: paymentId,
        amount,
        currency: payment.currency,
        amount_deducted: 0,
        reason_code: opening.reason_code,
        respond_by: opening.respond_by,
        status: 'open',
        phase: opening.phase,
        created_at: clock.nowSeconds(),
        evidence: { ...noEvidence, amount },
      };
      store.add(dispute);
      remember(dispute);
      deduct(dispute, opening.amount_deducted);
      tell('payment.dispute.created', dispute);
      return dispute;
    },

    /** What the banks decide; one that was won may be lost after all. @throws GatewayRefusal for what is decided. */
    step(disputeId: string, to: DisputeStep): DisputeEntity {
      const dispute = store.get(disputeId);
      const isOpen = dispute.status === 'open' || dispute.status === 'under_review';
      const isTurned = to === 'lost' && (dispute.status === 'won' || dispute.status === 'closed');
      if (!isOpen && !isTurned) throw badField('status', `The dispute is ${dispute.status}`);
      step(dispute, to);
      return dispute;
    },

    accept(disputeId: string): DisputeEntity {
      const dispute = answerable(disputeId);
      step(dispute, 'lost');
      return dispute;
    },

    contest(disputeId: string, request: ContestRequest): DisputeEntity {
      const dispute = answerable(disputeId);
      const evidence = Evidence.parse({ ...dispute.evidence, ...request.evidence });
      if ((evidence.amount ?? 0) > dispute.amount) {
        throw badField('amount', 'The amount may not be greater than the amount of the dispute.');
      }
      if (request.action === 'submit' && !hasProof(evidence)) {
        refuse('At least one evidence document is required to contest a dispute');
      }
      dispute.evidence = evidence;
      if (request.action === 'submit') {
        dispute.evidence.submitted_at = clock.nowSeconds();
        step(dispute, 'under_review');
      }
      return dispute;
    },

    /** Whether this payment cannot be refunded, because its bank is already asking for the money. */
    blocksRefund: (paymentId: string): boolean =>
      (byPayment.get(paymentId) ?? []).some(
        ({ phase, status }) =>
          (status === 'open' || status === 'under_review') &&
          phase !== 'fraud' &&
          phase !== 'retrieval',
      ),

    dispute: (disputeId: string): DisputeEntity => store.get(disputeId),
    list: (query: ListQuery): DisputeEntity[] => page(store.all(), query),
    state: (): DisputesState => ({ disputes: store.all() }),
  };
}

function hasProof(evidence: Evidence): boolean {
  return Object.values(evidence).some((value) => Array.isArray(value) && value.length > 0);
}

function refuse(description: string): never {
  throw new GatewayRefusal(400, {
    description,
    source: 'business',
    step: 'payment_initiation',
    reason: 'input_validation_failed',
  });
}
