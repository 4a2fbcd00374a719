// Refunds at the payment gateway: made once for each idempotency key, whatever happens on the way.
import { z } from 'zod';
import { assert } from '#contract';
import {
  GatewayNotes,
  GatewayPaise,
  GatewayRefusal,
  keyNote,
  nullWhenRefused,
  readAnswer,
} from './gateway-answer.ts';
import type { GatewayHttp } from './gateway-http.ts';
import type { GatewayPackage } from './gateway-package.ts';
import { eachOnce, pageItemsMax, pageOf, readPages } from './gateway-pages.ts';

/** No payment has as many: the gateway takes nothing below one rupee. */
const refundsOfPaymentMax = 1_000;

/** A refund as the gateway's API and its webhooks show it. `failed` gives the money back to us. */
export const GatewayRefund = z.looseObject({
  id: z.string(),
  payment_id: z.string(),
  amount: GatewayPaise,
  currency: z.string(),
  status: z.enum(['pending', 'processed', 'failed']),
  notes: GatewayNotes,
  /** The bank's number, by which a buyer can ask where the money is. No reason not to know the rest. */
  acquirer_data: z
    .looseObject({ arn: z.string().nullable().default(null) })
    .nullable()
    .default(null)
    .catch(null),
  /** Seconds since 1970. */
  created_at: z.int(),
});
export type GatewayRefund = z.infer<typeof GatewayRefund>;

export interface GatewayRefunds {
  /**
   * Gives money of a captured payment back. Throws GatewayRefusal when no refund was made and none
   * will be, and `gateway-unavailable` when that is not known: the same key, amount and notes are
   * asked for again then, and lead to the same refund.
   */
  refund(request: {
    gatewayPaymentId: string;
    amountPaise: number;
    /** 10 or more letters, digits, `-` and `_`; another one is another refund. */
    idempotencyKey: string;
    notes?: Record<string, string>;
  }): Promise<GatewayRefund>;
  /** A refund by its id; null when the gateway knows none. Throws `gateway-unavailable`. */
  fetchRefund(gatewayRefundId: string): Promise<GatewayRefund | null>;
  /** All refunds of a payment, newest first. Throws GatewayRefusal, `gateway-unavailable`. */
  listRefunds(gatewayPaymentId: string): Promise<GatewayRefund[]>;
}

/** The package sends no headers of ours, so the one call that needs one is made without it. */
export function createGatewayRefunds(razorpay: GatewayPackage, http: GatewayHttp): GatewayRefunds {
  async function listRefunds(gatewayPaymentId: string): Promise<GatewayRefund[]> {
    const { items, isWhole } = await readPages({
      pageItems: pageItemsMax,
      itemsMax: refundsOfPaymentMax,
      readPage: (window) =>
        razorpay.ask(pageOf(GatewayRefund), ({ payments }) =>
          payments.fetchMultipleRefund(gatewayPaymentId, window),
        ),
    });
    assert(isWhole, `a payment has at most ${refundsOfPaymentMax} refunds`);
    return eachOnce(items);
  }

  return {
    async refund({ gatewayPaymentId, amountPaise, idempotencyKey, notes }) {
      assert(/^[A-Za-z0-9_-]{10,64}$/.test(idempotencyKey), 'a key that the gateway takes');
      const Asked = GatewayRefund.refine(
        (refund) => refund.payment_id === gatewayPaymentId && refund.amount === amountPaise,
        'this is another refund than the one that was asked for',
      );
      try {
        return await http.ask(Asked, {
          method: 'POST',
          path: `/payments/${encodeURIComponent(gatewayPaymentId)}/refund`,
          headers: { 'x-refund-idempotency': idempotencyKey },
          body: {
            amount: amountPaise,
            speed: 'normal',
            notes: { ...notes, [keyNote]: idempotencyKey },
          },
        });
      } catch (error) {
        if (!(error instanceof GatewayRefusal)) throw error;
        // It is final only if no earlier attempt, whose answer was lost, has made the refund.
        const made = (await listRefunds(gatewayPaymentId)).find(
          (refund) => refund.notes[keyNote] === idempotencyKey,
        );
        if (!made) throw error;
        return readAnswer(Asked, made);
      }
    },
    fetchRefund: (gatewayRefundId) =>
      nullWhenRefused(razorpay.ask(GatewayRefund, ({ refunds }) => refunds.fetch(gatewayRefundId))),
    listRefunds,
  };
}
