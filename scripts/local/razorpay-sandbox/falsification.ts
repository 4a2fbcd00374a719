// Faults of a settlement, made on request so that a reconciliation has something to find.
import { z } from 'zod';
import { newEntityId } from './entity-id.ts';
import { badField } from './refusal.ts';
import { emptyTransaction, type Transaction } from './transactions.ts';

const changesMax = 100;
const differencePaiseMax = 10_000_000;

const Difference = z.int().min(-differencePaiseMax).max(differencePaiseMax).default(0);

export const Falsification = z.strictObject({
  /** The entities that are left out; the next settlement has them. */
  leave_out: z.array(z.string()).max(changesMax).default([]),
  /** The entities that are reported with this much more or less, in paise. */
  change: z
    .array(z.strictObject({ entity_id: z.string(), amount: Difference, fee: Difference }))
    .max(changesMax)
    .default([]),
  /** Movements that nobody knows. */
  add: z
    .array(
      z.strictObject({
        type: z.enum(['payment', 'refund', 'adjustment']),
        amount: z.int().min(1),
        direction: z.enum(['credit', 'debit']).optional(),
      }),
    )
    .max(changesMax)
    .default([]),
  /** What is paid differs from the sum of the report by this. */
  total: Difference,
});
export type Falsification = z.output<typeof Falsification>;

const prefixes = { payment: 'pay', refund: 'rfnd', adjustment: 'adj' } as const;

/**
 * What is settled of `waiting`, and what is reported as settled.
 * @throws GatewayRefusal when it names an entity that is not waiting.
 */
export function applyFalsification(
  waiting: readonly Transaction[],
  { leave_out, change, add }: Falsification,
  at: number,
): { settled: Transaction[]; reported: Transaction[] } {
  const leftOut = new Set(leave_out);
  const changes = new Map(change.map((entry) => [entry.entity_id, entry]));
  const known = new Set(waiting.map(({ entity_id }) => entity_id));
  for (const id of [...leftOut, ...changes.keys()]) {
    if (!known.has(id)) throw badField('entity_id', `${id} is not waiting to be settled`);
  }
  const settled = waiting.filter(({ entity_id }) => !leftOut.has(entity_id));
  const reported = settled.map((transaction) => {
    const difference = changes.get(transaction.entity_id);
    return difference ? changed(transaction, difference) : transaction;
  });
  return { settled, reported: [...reported, ...add.map((entry) => unknown(entry, at))] };
}

function changed(transaction: Transaction, difference: { amount: number; fee: number }) {
  const amount = transaction.amount + difference.amount;
  const fee = transaction.fee + difference.fee;
  const isDebit = transaction.debit > 0;
  return {
    ...transaction,
    amount,
    fee,
    credit: isDebit ? 0 : amount - fee,
    debit: isDebit ? amount + fee : 0,
  };
}

function unknown(entry: Falsification['add'][number], at: number): Transaction {
  const { type, amount, direction = type === 'refund' ? 'debit' : 'credit' } = entry;
  return {
    ...emptyTransaction(newEntityId(prefixes[type]), type, 'INR', at),
    amount,
    [direction]: amount,
  };
}
