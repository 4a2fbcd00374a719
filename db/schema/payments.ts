// Payments: what is sold, what was ordered, what the gateway says was paid, and the invoices for it.
import { sql } from 'drizzle-orm';
import {
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { count, createdAt, id, moment, oneOf } from './columns.ts';
import { adjustments } from './ledger.ts';
import { users } from './people.ts';

/** A package is never changed, only withdrawn and replaced: an old order keeps its price. */
export const packages = pgTable(
  'packages',
  {
    id: id(),
    name: text().notNull(),
    tokens: count('tokens').notNull(),
    /** What the buyer pays, tax included. */
    pricePaise: count('price_paise').notNull(),
    /** The tax within that price, in basis points of the net price. */
    gstRateBp: integer('gst_rate_bp').notNull(),
    gstPaise: count('gst_paise')
      .notNull()
      .generatedAlwaysAs(
        sql`(price_paise * gst_rate_bp + (10000 + gst_rate_bp) / 2) / (10000 + gst_rate_bp)`,
      ),
    /** The package that this one took the place of. */
    replaces: uuid(),
    offeredFrom: moment('offered_from').notNull().defaultNow(),
    offeredUntil: moment('offered_until'),
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
    tokens: count('tokens').notNull(),
    amountPaise: count('amount_paise').notNull(),
    gstPaise: count('gst_paise').notNull(),
    state: text({ enum: ['created', 'attempted', 'paid'] })
      .notNull()
      .default('created'),
    /** Null until the gateway has answered. */
    gatewayOrderId: text('gateway_order_id').unique('orders_gateway_order_id_key'),
    idempotencyKey: text('idempotency_key').notNull(),
    createdAt: createdAt(),
    /** When its buyer went back to it last, after its time to pay was over. */
    reopenedAt: moment('reopened_at'),
    paidAt: moment('paid_at'),
    /** When the gateway is asked next whether it was paid; null when it is not asked any more. */
    checkAt: moment('check_at'),
  },
  (t) => [
    oneOf('orders_state_known', t.state, ['created', 'attempted', 'paid']),
    uniqueIndex('orders_idempotency_key').on(t.userId, t.idempotencyKey),
    index('orders_to_check').on(t.checkAt).where(sql`${t.state} <> 'paid'`),
    index('orders_user').on(t.userId, t.createdAt.desc()),
    check(
      'orders_amounts',
      sql`${t.tokens} > 0 and ${t.gstPaise} >= 0 and ${t.gstPaise} < ${t.amountPaise}`,
    ),
  ],
);

/** Each payment that the gateway has told of. Its state only ever goes forward. */
export const payments = pgTable(
  'payments',
  {
    gatewayPaymentId: text('gateway_payment_id').primaryKey(),
    orderId: uuid('order_id')
      .notNull()
      .references(() => orders.id),
    amountPaise: count('amount_paise').notNull(),
    state: text({ enum: ['created', 'failed', 'authorized', 'captured'] }).notNull(),
    method: text(),
    /** A hash of the card, UPI address or bank account, to see whether two payers are one. */
    instrumentHash: text('instrument_hash'),
    /** What the gateway keeps for itself, and the tax within it; null until it says. */
    feePaise: count('fee_paise'),
    feeTaxPaise: count('fee_tax_paise'),
    errorReason: text('error_reason'),
    /** The act that credited it, and with it the lot; null until it is captured. */
    journalId: uuid('journal_id').unique('payments_journal_id_key'),
    /** Returned by refunds that were approved, tax included. */
    refundedPaise: count('refunded_paise').notNull().default(0),
    /** The settlement that brought it to the bank. */
    settlementId: text('settlement_id'),
    /** Null until its invoice was given its number. */
    invoiceNumber: text('invoice_number'),
    createdAt: createdAt(),
    capturedAt: moment('captured_at'),
  },
  (t) => [
    oneOf('payments_state_known', t.state, ['created', 'failed', 'authorized', 'captured']),
    check(
      'payments_credited_when_captured',
      sql`(${t.state} = 'captured') = (${t.journalId} is not null)`,
    ),
    check('payments_refunded', sql`${t.refundedPaise} between 0 and ${t.amountPaise}`),
    index('payments_order').on(t.orderId),
    index('payments_instrument').on(t.instrumentHash),
    index('payments_unsettled')
      .on(t.capturedAt)
      .where(sql`${t.state} = 'captured' and ${t.settlementId} is null`),
    index('payments_without_invoice')
      .on(t.capturedAt)
      .where(sql`${t.state} = 'captured' and ${t.invoiceNumber} is null`),
  ],
);

/** Every webhook whose signature was right; the gateway's event id makes repeats visible. */
export const webhookEvents = pgTable(
  'webhook_events',
  {
    gatewayEventId: text('gateway_event_id').primaryKey(),
    type: text().notNull(),
    /** What it says of money, without whose it is; nothing any more when it came long ago. */
    body: text().notNull(),
    deliveries: integer().notNull().default(1),
    receivedAt: moment('received_at').notNull().defaultNow(),
    processedAt: moment('processed_at'),
    /** Why it could not be applied. */
    refusal: text(),
  },
  (t) => [
    index('webhook_events_unprocessed').on(t.receivedAt).where(sql`${t.processedAt} is null`),
    index('webhook_events_kept').on(t.receivedAt).where(sql`${t.body} <> ''`),
  ],
);

/**
 * Money on its way back to a buyer. Approved ones are sent by a job under their own id as idempotency
 * key, until the gateway has said what became of them.
 */
export const refunds = pgTable(
  'refunds',
  {
    id: id(),
    gatewayPaymentId: text('gateway_payment_id')
      .notNull()
      .references(() => payments.gatewayPaymentId),
    userId: uuid('user_id').notNull(),
    tokens: count('tokens').notNull(),
    netPaise: count('net_paise').notNull(),
    gstPaise: count('gst_paise').notNull(),
    amountPaise: count('amount_paise').notNull().generatedAlwaysAs(sql`net_paise + gst_paise`),
    /** What of it came out of the lot: less than went back where the tokens for it were not there. */
    takenNetPaise: count('taken_net_paise').notNull(),
    takenGstPaise: count('taken_gst_paise').notNull(),
    state: text({
      enum: ['requested', 'rejected', 'approved', 'sent', 'processed', 'failed'],
    }).notNull(),
    reason: text().notNull(),
    requestedBy: uuid('requested_by'),
    decidedBy: uuid('decided_by'),
    idempotencyKey: text('idempotency_key').notNull(),
    /** Where its tokens wait until it is decided; null for one that the gateway told of first. */
    reservationId: uuid('reservation_id'),
    /** The act that took tokens and tax back. */
    journalId: uuid('journal_id'),
    gatewayRefundId: text('gateway_refund_id').unique('refunds_gateway_refund_id_key'),
    attempts: integer().notNull().default(0),
    nextAttemptAt: moment('next_attempt_at'),
    createdAt: createdAt(),
    decidedAt: moment('decided_at'),
    endedAt: moment('ended_at'),
    settlementId: text('settlement_id'),
    /** Null until its credit note was given its number. */
    creditNoteNumber: text('credit_note_number'),
  },
  (t) => [
    oneOf('refunds_state_known', t.state, [
      'requested',
      'rejected',
      'approved',
      'sent',
      'processed',
      'failed',
    ]),
    check(
      'refunds_amounts',
      sql`${t.netPaise} >= 0 and ${t.gstPaise} >= 0 and ${t.netPaise} + ${t.gstPaise} > 0`,
    ),
    check('refunds_four_eyes', sql`${t.decidedBy} <> ${t.requestedBy} or ${t.state} = 'rejected'`),
    // Keys are chosen by whoever asks: two people may choose the same.
    unique('refunds_idempotency_key').on(t.requestedBy, t.idempotencyKey),
    index('refunds_payment').on(t.gatewayPaymentId),
    index('refunds_to_send').on(t.nextAttemptAt).where(sql`${t.state} in ('approved', 'sent')`),
    index('refunds_user').on(t.userId, t.createdAt.desc()),
    index('refunds_list').on(t.state, t.id),
    index('refunds_without_note')
      .on(t.endedAt)
      .where(sql`${t.state} = 'processed' and ${t.creditNoteNumber} is null`),
  ],
);

/** A payment that its payer's bank takes back, or tries to. */
export const disputes = pgTable(
  'disputes',
  {
    gatewayDisputeId: text('gateway_dispute_id').primaryKey(),
    gatewayPaymentId: text('gateway_payment_id')
      .notNull()
      .references(() => payments.gatewayPaymentId),
    userId: uuid('user_id').notNull(),
    amountPaise: count('amount_paise').notNull(),
    phase: text().notNull(),
    reasonCode: text('reason_code').notNull(),
    state: text({ enum: ['open', 'under_review', 'won', 'lost', 'closed'] }).notNull(),
    /** Until when evidence must be with the bank. */
    respondBy: moment('respond_by'),
    /** The viewer's tokens that wait for the outcome; null when none were left. */
    reservationId: uuid('reservation_id'),
    /** What a lost one brought back from tokens, from tax and from performers, and what nobody paid. */
    recoveredPaise: count('recovered_paise').notNull().default(0),
    lostPaise: count('lost_paise').notNull().default(0),
    /** How often it was taken up again after it had been over. */
    turns: integer().notNull().default(0),
    /** The act that opened it last, and the one that closed it. */
    openedBy: uuid('opened_by').notNull(),
    closedBy: uuid('closed_by'),
    openedAt: moment('opened_at').notNull().defaultNow(),
    closedAt: moment('closed_at'),
  },
  (t) => [
    oneOf('disputes_state_known', t.state, ['open', 'under_review', 'won', 'lost', 'closed']),
    check('disputes_amount', sql`${t.amountPaise} > 0`),
    index('disputes_payment').on(t.gatewayPaymentId),
    index('disputes_open').on(t.respondBy).where(sql`${t.closedAt} is null`),
    index('disputes_list').on(t.openedAt, t.gatewayDisputeId),
  ],
);

/** Earnings of tips that were paid with disputed tokens: held until the dispute is over. */
export const disputedEarnings = pgTable(
  'disputed_earnings',
  {
    gatewayDisputeId: text('gateway_dispute_id')
      .notNull()
      .references(() => disputes.gatewayDisputeId),
    tipId: uuid('tip_id').notNull(),
    performerId: uuid('performer_id').notNull(),
    paise: count('paise').notNull(),
  },
  (t) => [
    unique('disputed_earnings_once').on(t.gatewayDisputeId, t.tipId),
    index('disputed_earnings_tip').on(t.tipId),
    index('disputed_earnings_performer').on(t.performerId),
  ],
);

/** What the gateway brought to the bank on a day. */
export const settlements = pgTable('settlements', {
  gatewaySettlementId: text('gateway_settlement_id').primaryKey(),
  amountPaise: count('amount_paise').notNull(),
  feePaise: count('fee_paise').notNull(),
  taxPaise: count('tax_paise').notNull(),
  utr: text(),
  settledAt: moment('settled_at').notNull(),
  journalId: uuid('journal_id').notNull(),
  createdAt: createdAt(),
});

/** Each line of a settlement, and what of ours explains it. */
export const settlementItems = pgTable(
  'settlement_items',
  {
    gatewaySettlementId: text('gateway_settlement_id').notNull(),
    /** Its place among the lines; a report may name an entity twice. */
    line: integer().notNull(),
    /** `pay_…`, `rfnd_…` or that of an adjustment. */
    entityId: text('entity_id').notNull(),
    type: text().notNull(),
    creditPaise: count('credit_paise').notNull(),
    debitPaise: count('debit_paise').notNull(),
    amountPaise: count('amount_paise').notNull(),
    feePaise: count('fee_paise').notNull(),
    taxPaise: count('tax_paise').notNull(),
    disputeId: text('dispute_id'),
    explained: text({ enum: ['payment', 'refund', 'dispute', 'nothing'] }).notNull(),
  },
  (t) => [
    primaryKey({
      name: 'settlement_items_pkey',
      columns: [t.gatewaySettlementId, t.line],
    }),
    index('settlement_items_entity').on(t.entityId),
    index('settlement_items_dispute').on(t.disputeId).where(sql`${t.disputeId} is not null`),
    index('settlement_items_unexplained')
      .on(t.gatewaySettlementId)
      .where(sql`${t.explained} = 'nothing'`),
    oneOf('settlement_items_explained_known', t.explained, [
      'payment',
      'refund',
      'dispute',
      'nothing',
    ]),
  ],
);

/** A change of the books by hand, and the line of a settlement that it solves, or opens again. */
export const settlementSolutions = pgTable(
  'settlement_solutions',
  {
    adjustmentId: uuid('adjustment_id')
      .primaryKey()
      .references(() => adjustments.id),
    gatewaySettlementId: text('gateway_settlement_id').notNull(),
    line: integer().notNull(),
    /** What it moved out of `unexplained`; less than nothing where it took another one back. */
    paise: count('paise').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    foreignKey({
      name: 'settlement_solutions_line',
      columns: [t.gatewaySettlementId, t.line],
      foreignColumns: [settlementItems.gatewaySettlementId, settlementItems.line],
    }),
    index('settlement_solutions_of_line').on(t.gatewaySettlementId, t.line),
  ],
);

/** Invoices and credit notes, numbered without gaps in each financial year. */
export const invoices = pgTable(
  'invoices',
  {
    /** Such as LP/26-27/0000001; at most 16 characters (rule 46 of the CGST Rules, 2017). */
    number: text().primaryKey(),
    kind: text({ enum: ['invoice', 'credit-note'] }).notNull(),
    series: text().notNull(),
    serial: integer().notNull(),
    userId: uuid('user_id').notNull(),
    gatewayPaymentId: text('gateway_payment_id').notNull(),
    refundId: uuid('refund_id').unique('invoices_refund_id_key'),
    netPaise: count('net_paise').notNull(),
    gstPaise: count('gst_paise').notNull(),
    gstRateBp: integer('gst_rate_bp').notNull(),
    issuedAt: moment('issued_at').notNull().defaultNow(),
  },
  (t) => [
    oneOf('invoices_kind_known', t.kind, ['invoice', 'credit-note']),
    unique('invoices_serial').on(t.series, t.serial),
    uniqueIndex('invoices_of_payment').on(t.gatewayPaymentId).where(sql`${t.kind} = 'invoice'`),
    index('invoices_user').on(t.userId, t.issuedAt.desc()),
  ],
);

/** The next number of each series. */
export const invoiceSeries = pgTable('invoice_series', {
  series: text().primaryKey(),
  nextSerial: integer('next_serial').notNull(),
});

/** Who sells, as it stands on invoices; the newest row that has begun counts. */
export const sellers = pgTable('sellers', {
  id: id(),
  name: text().notNull(),
  address: text().notNull(),
  gstin: text().notNull(),
  /** Services accounting code of what is sold. */
  sac: text().notNull(),
  stateCode: text('state_code').notNull(),
  validFrom: moment('valid_from').notNull().defaultNow(),
});
