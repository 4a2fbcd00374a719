// Settlements: what was captured, refunded and adjusted, paid to the merchant's bank, and the report of it.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from './clock.ts';
import { newEntityId } from './entity-id.ts';
import { createEntityStore, type ListQuery, page } from './entity-store.ts';
import type { Publish } from './event.ts';
import { applyFalsification, type Falsification } from './falsification.ts';
import { GatewayRefusal } from './refusal.ts';
import { Transaction, type Transactions } from './transactions.ts';

const settlementsMax = 2_000;
/** The report's days are India's, which has no summer time. */
const indiaOffsetSeconds = 5.5 * 60 * 60;

export const SettlementEntity = z.object({
  id: z.string(),
  entity: z.literal('settlement'),
  amount: z.int(),
  status: z.literal('processed'),
  fees: z.int(),
  tax: z.int(),
  utr: z.string(),
  created_at: z.int(),
});
export type SettlementEntity = z.infer<typeof SettlementEntity>;

/** A line of the reconciliation report. */
export const ReconItem = Transaction.extend({
  settled: z.literal(true),
  settled_at: z.int(),
  settlement_id: z.string(),
  settlement_utr: z.string(),
});
export type ReconItem = z.infer<typeof ReconItem>;

const Settlement = z.object({
  id: z.string(),
  settlement: SettlementEntity,
  items: z.array(ReconItem),
});

export const SettlementsState = z.object({
  settlements: z.array(Settlement),
  waiting: z.array(Transaction),
});
export type SettlementsState = z.infer<typeof SettlementsState>;

export interface ReconQuery {
  year: number;
  month: number;
  day: number | null;
  count: number;
  skip: number;
}

export type Settlements = ReturnType<typeof createSettlements>;

export function createSettlements(options: {
  state: SettlementsState;
  transactions: Transactions;
  clock: Clock;
  publish: Publish;
}) {
  const { transactions, clock } = options;
  const store = createEntityStore({
    max: settlementsMax,
    entities: options.state.settlements,
  });

  return {
    /** What would be settled now. */
    waiting: (): Transaction[] => transactions.waiting(),

    /**
     * Settles everything up to this moment, except for what `falsification` does to it.
     * @throws GatewayRefusal when there is nothing to pay.
     */
    settle(falsification: Falsification): { settlement: SettlementEntity; items: ReconItem[] } {
      const at = clock.nowSeconds();
      const { settled, reported } = applyFalsification(transactions.waiting(), falsification, at);
      const balance = reported.reduce((sum, { credit, debit }) => sum + credit - debit, 0);
      const amount = balance + falsification.total;
      if (amount <= 0) {
        throw new GatewayRefusal(400, {
          description: `There is nothing to settle: ${amount} paise`,
        });
      }
      const settlement: SettlementEntity = {
        id: newEntityId('setl'),
        entity: 'settlement',
        amount,
        status: 'processed',
        // Those of its payments are in the report; the settlement itself costs nothing.
        fees: 0,
        tax: 0,
        utr: `${at}${randomBytes(3).toString('hex')}`,
        created_at: at,
      };
      const items = reported.map(
        (transaction): ReconItem => ({
          ...transaction,
          settled: true,
          settled_at: at,
          settlement_id: settlement.id,
          settlement_utr: settlement.utr,
        }),
      );
      for (const transaction of settled) transactions.settled(transaction);
      store.add({ id: settlement.id, settlement, items });
      options.publish({
        name: 'settlement.processed',
        payload: { settlement },
        about: { entityId: settlement.id },
      });
      return { settlement, items };
    },

    settlement: (id: string): SettlementEntity => store.get(id).settlement,
    list: (query: ListQuery): SettlementEntity[] =>
      page(
        store.all().map(({ settlement }) => settlement),
        query,
      ),

    /** The report of a month, or of a day of it, in India's time. */
    recon({ year, month, day, count, skip }: ReconQuery): ReconItem[] {
      const prefix = [year, month, ...(day === null ? [] : [day])]
        .map((part) => String(part).padStart(2, '0'))
        .join('-');
      return store
        .all()
        .filter(({ settlement }) => indiaDay(settlement.created_at).startsWith(prefix))
        .flatMap(({ items }) => items)
        .slice(skip, skip + count);
    },

    state: (): SettlementsState => ({
      settlements: store.all(),
      waiting: transactions.waiting(),
    }),
  };
}

/** Such as `2026-02-28`. */
function indiaDay(unixSeconds: number): string {
  return new Date((unixSeconds + indiaOffsetSeconds) * 1000).toISOString().slice(0, 10);
}
