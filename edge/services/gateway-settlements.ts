// Settlement reports of the payment gateway: every movement behind what it paid to our bank account.
import { z } from 'zod';
import { GatewayPaise } from './gateway-answer.ts';
import type { GatewayPackage } from './gateway-package.ts';
import { pageOf, readPages } from './gateway-pages.ts';

/** The most that the gateway gives at once. */
export const settlementPageItemsMax = 1_000;
const settlementItemsMax = 100_000;

const maybeText = z.string().nullable().default(null);

/** One line of a report. */
export const GatewaySettlementItem = z.looseObject({
  entity_id: z.string(),
  /** `payment`, `refund`, `adjustment`, `transfer`; others may come. */
  type: z.string(),
  /** What this line took from the settlement. */
  debit: GatewayPaise,
  /** What this line added to the settlement: a payment's amount less its fee. */
  credit: GatewayPaise,
  amount: GatewayPaise,
  currency: z.string(),
  /** The tax is part of it. */
  fee: GatewayPaise,
  tax: GatewayPaise,
  settled: z.boolean(),
  settlement_id: maybeText,
  /** The bank's number of the transfer to our account. */
  settlement_utr: maybeText,
  /** Seconds since 1970. */
  settled_at: z.int().nullable().default(null),
  created_at: z.int(),
  payment_id: maybeText,
  order_id: maybeText,
  dispute_id: maybeText,
  method: maybeText,
  description: maybeText,
});
export type GatewaySettlementItem = z.infer<typeof GatewaySettlementItem>;

export interface GatewaySettlements {
  /**
   * All that was settled on a day of India's calendar, in the report's order; an item that the
   * report has twice comes twice. Throws GatewayRefusal, `gateway-unavailable`, and an Error when
   * the report has more than 100,000 lines, because a part of it proves nothing.
   */
  listSettlementItems(date: {
    year: number;
    /** 1 to 12. */
    month: number;
    day: number;
  }): Promise<GatewaySettlementItem[]>;
}

export function createGatewaySettlements(
  razorpay: GatewayPackage,
  options: { pageItems: number },
): GatewaySettlements {
  return {
    async listSettlementItems(date) {
      const { items, isWhole } = await readPages({
        pageItems: options.pageItems,
        itemsMax: settlementItemsMax,
        readPage: (window) =>
          razorpay.ask(pageOf(GatewaySettlementItem), ({ settlements }) =>
            settlements.reports({ ...date, ...window }),
          ),
      });
      if (!isWhole) throw new Error(`a report of more than ${settlementItemsMax} lines`);
      return items;
    },
  };
}
