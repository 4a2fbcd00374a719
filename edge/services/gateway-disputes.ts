// Disputes at the payment gateway: a buyer's bank wants money back.
import { z } from 'zod';
import { GatewayPaise, nullWhenRefused } from './gateway-answer.ts';
import type { GatewayPackage } from './gateway-package.ts';
import { eachOnce, pageItemsMax, pageOf, readPages } from './gateway-pages.ts';

/** Older ones have been decided long ago. */
const disputesMax = 5_000;

/** A dispute as the gateway's API and its webhooks show it. */
export const GatewayDispute = z.looseObject({
  id: z.string(),
  payment_id: z.string(),
  amount: GatewayPaise,
  currency: z.string(),
  /** What has been taken from us so far; it comes back when the dispute is won. */
  amount_deducted: GatewayPaise,
  reason_code: z.string(),
  /** Seconds since 1970: until then it can be answered. */
  respond_by: z.int().nullable().default(null),
  status: z.enum(['open', 'under_review', 'won', 'lost', 'closed']),
  /** Such as `chargeback`, `fraud`, `retrieval`, `pre_arbitration`, `arbitration`. */
  phase: z.string(),
  created_at: z.int(),
});
export type GatewayDispute = z.infer<typeof GatewayDispute>;

export interface GatewayDisputes {
  /** A dispute by its id; null when the gateway knows none. Throws `gateway-unavailable`. */
  fetchDispute(gatewayDisputeId: string): Promise<GatewayDispute | null>;
  /** The newest disputes first, at most 5,000. Throws `gateway-unavailable`. */
  listDisputes(): Promise<GatewayDispute[]>;
}

export function createGatewayDisputes(razorpay: GatewayPackage): GatewayDisputes {
  return {
    fetchDispute: (gatewayDisputeId) =>
      nullWhenRefused(
        razorpay.ask(GatewayDispute, ({ disputes }) => disputes.fetch(gatewayDisputeId)),
      ),
    async listDisputes() {
      const { items } = await readPages({
        pageItems: pageItemsMax,
        itemsMax: disputesMax,
        readPage: (window) =>
          razorpay.ask(pageOf(GatewayDispute), ({ disputes }) => disputes.all(window)),
      });
      return eachOnce(items);
    },
  };
}
