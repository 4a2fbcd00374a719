// Payments: what is sold, what was ordered, what the gateway says was paid.
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { id, oneOf } from './columns.ts';
import { users } from './people.ts';

const paise = (name: string) => bigint(name, { mode: 'number' });

/** A package is never changed, only withdrawn and replaced: an old order keeps its price. */
export const packages = pgTable(
  'packages',
  {
    id: id(),
    name: text().notNull(),
    tokens: bigint({ mode: 'number' }).notNull(),
    /** What the buyer pays, tax included. */
    pricePaise: paise('price_paise').notNull(),
    /** The tax within that price, in basis points of the net price. */
    gstRateBp: integer('gst_rate_bp').notNull(),
    gstPaise: paise('gst_paise')
      .notNull()
      .generatedAlwaysAs(
        sql`(price_paise * gst_rate_bp + (10000 + gst_rate_bp) / 2) / (10000 + gst_rate_bp)`,
      ),
    offeredFrom: timestamp('offered_from', { withTimezone: true }).notNull().defaultNow(),
    offeredUntil: timestamp('offered_until', { withTimezone: true }),
  },
  (t) => [
    check('packages_tokens_positive', sql`${t.tokens} > 0`),
    check('packages_price_positive', sql`${t.pricePaise} > 0`),
    check('packages_gst_rate', sql`${t.gstRateBp} between 0 and 10000`),
  ],
);

export const orders = pgTable(
  'orders',
  {
    id: id(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    packageId: uuid('package_id')
      .notNull()
      .references(() => packages.id),
    tokens: bigint({ mode: 'number' }).notNull(),
    amountPaise: paise('amount_paise').notNull(),
    gstPaise: paise('gst_paise').notNull(),
    state: text({ enum: ['created', 'paid'] })
      .notNull()
      .default('created'),
    /** Null until the gateway has answered. */
    gatewayOrderId: text('gateway_order_id').unique('orders_gateway_order_id_key'),
    idempotencyKey: text('idempotency_key').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    paidAt: timestamp('paid_at', { withTimezone: true }),
    /** When the gateway is asked next whether it was paid; null when it is not asked any more. */
    checkAt: timestamp('check_at', { withTimezone: true }),
  },
  (t) => [
    oneOf('orders_state_known', t.state, ['created', 'paid']),
    uniqueIndex('orders_idempotency_key').on(t.userId, t.idempotencyKey),
    index('orders_to_check').on(t.checkAt).where(sql`${t.state} = 'created'`),
    check(
      'orders_amounts',
      sql`${t.tokens} > 0 and ${t.gstPaise} >= 0 and ${t.gstPaise} < ${t.amountPaise}`,
    ),
  ],
);

/** One row for each payment of the gateway that was captured, with the journal entry that credited it. */
export const payments = pgTable('payments', {
  gatewayPaymentId: text('gateway_payment_id').primaryKey(),
  orderId: uuid('order_id')
    .notNull()
    .references(() => orders.id),
  amountPaise: paise('amount_paise').notNull(),
  journalId: uuid('journal_id').notNull().unique('payments_journal_id_key'),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

/** Every webhook whose signature was right, as it came; the gateway's event id makes repeats visible. */
export const webhookEvents = pgTable('webhook_events', {
  gatewayEventId: text('gateway_event_id').primaryKey(),
  type: text().notNull(),
  /** The bytes that were signed. */
  body: text().notNull(),
  deliveries: integer().notNull().default(1),
  receivedAt: timestamp('received_at', { withTimezone: true }).notNull().defaultNow(),
  processedAt: timestamp('processed_at', { withTimezone: true }),
});
