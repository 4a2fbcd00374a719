// What a line of a settlement is about, and nobody has told of: it is asked of the gateway.
import { observeRefund, type SettledEntity } from '#db';
import type { Deps } from '../deps.ts';
import { takeDispute } from './dispute-life.ts';
import { takePayment } from './payment-life.ts';
import { refundFacts } from './refund-life.ts';

/**
 * Takes a payment, or a refund or dispute with its payment, of which nothing but its name is known here. What the
 * gateway does not know either is left alone. Refuses `not-found`, `payment-mismatch`; throws `gateway-unavailable`.
 */
export async function takeEntity(deps: Deps, { type, entityId }: SettledEntity): Promise<void> {
  switch (type) {
    case 'payment':
      await takePaymentById(deps, entityId);
      return;
    case 'refund': {
      const refund = await deps.gateway.fetchRefund(entityId);
      deps.failpoint('settlement.refund-fetched');
      if (!refund) return;
      const payment = await takePaymentById(deps, refund.payment_id);
      if (payment?.state !== 'captured') return;
      await observeRefund(deps.db, refundFacts(refund));
      deps.failpoint('settlement.refund-noted');
      return;
    }
    case 'dispute': {
      const dispute = await deps.gateway.fetchDispute(entityId);
      deps.failpoint('settlement.dispute-fetched');
      if (dispute) await takeDispute(deps, dispute);
    }
  }
}

async function takePaymentById(deps: Deps, gatewayPaymentId: string) {
  const payment = await deps.gateway.fetchPayment(gatewayPaymentId);
  deps.failpoint('settlement.payment-fetched');
  return payment && takePayment(deps, payment);
}
