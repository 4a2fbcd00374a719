// Payments: packages on sale, orders, what the gateway says was paid, and its webhooks.
import { and, eq, inArray, sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id, OrderState, OrderStatus } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import type { RefundFacts } from './refunds.ts';
import { orders, packages, webhookEvents } from './schema/index.ts';

export type PackageRow = typeof packages.$inferSelect;
type OrderRow = typeof orders.$inferSelect;

const PlacedOrder = z.object({
  id: Id,
  userId: Id,
  tokens: z.int(),
  amountPaise: z.int(),
  state: OrderState,
  gatewayOrderId: z.string().nullable(),
});
export type PlacedOrder = z.infer<typeof PlacedOrder>;

const offered = and(
  sql`${packages.offeredFrom} <= now()`,
  sql`coalesce(${packages.offeredUntil}, 'infinity') > now()`,
);

/** Packages on sale, smallest first. */
export async function listPackages(db: Db): Promise<PackageRow[]> {
  return db.select().from(packages).where(offered).orderBy(packages.tokens);
}

/**
 * Adds an order at the package's present price; the same key of the same user gives the same order back.
 * Refuses `package-unavailable`, `account-banned`, `order-limit`, `spending-limit`, `idempotency-key-reused`.
 */
export async function createOrder(
  db: Db,
  order: { userId: string; packageId: string; idempotencyKey: string },
): Promise<PlacedOrder> {
  return callFunction(
    db,
    sql`select create_order(${order.userId}, ${order.packageId}, ${order.idempotencyKey}) as result`,
    PlacedOrder,
  );
}

/**
 * Its buyer goes back to an order to pay it: one whose time to pay was over needs room in their limits again.
 * Refuses `account-banned`, `order-limit`, `spending-limit`.
 */
export async function reopenOrder(db: Db, orderId: string): Promise<void> {
  await callFunction(
    db,
    sql`select to_jsonb(reopen_order(${orderId})::text) as result`,
    z.unknown(),
  );
}

/** Keeps the gateway's id for an order; the first one stays. */
export async function setGatewayOrder(
  db: Db,
  orderId: string,
  gatewayOrderId: string,
): Promise<PlacedOrder> {
  return callFunction(
    db,
    sql`select set_gateway_order(${orderId}, ${gatewayOrderId}) as result`,
    PlacedOrder,
  );
}

export async function findOrderByGatewayId(
  db: Db,
  gatewayOrderId: string,
): Promise<OrderRow | null> {
  const [row] = await db
    .select()
    .from(orders)
    .where(eq(orders.gatewayOrderId, gatewayOrderId))
    .limit(1);
  return row ?? null;
}

const OrderProgress = OrderStatus.omit({ failure: true }).extend({
  userId: Id,
  gatewayOrderId: z.string().nullable(),
  /** In the gateway's words. */
  failure: z.object({ gatewayPaymentId: z.string(), reason: z.string().nullable() }).nullable(),
});
export type OrderProgress = z.infer<typeof OrderProgress>;

/** How an order stands at this moment; null when there is none. */
export async function readOrderStatus(db: Db, orderId: string): Promise<OrderProgress | null> {
  return callFunction(db, sql`select order_status(${orderId}) as result`, OrderProgress.nullable());
}

/** Open orders about which the gateway should be asked now; each comes again after a while, ever later. */
export async function takeOrdersToCheck(db: Db, limit: number): Promise<PlacedOrder[]> {
  return callFunction(db, sql`select orders_to_check(${limit}) as result`, PlacedOrder.array());
}

/** What the gateway says of a payment; amounts in paise. */
export interface PaymentFacts {
  gatewayPaymentId: string;
  gatewayOrderId: string;
  amountPaise: number;
  currency: string;
  status: 'created' | 'failed' | 'authorized' | 'captured' | 'refunded';
  method?: string | null;
  instrumentHash?: string | null;
  feePaise?: number | null;
  feeTaxPaise?: number | null;
  errorReason?: string | null;
  /** What has gone back of it already, oldest first. */
  refunds?: readonly RefundFacts[];
}

const PaymentResult = z.object({
  orderId: Id,
  userId: Id,
  state: z.enum(['created', 'failed', 'authorized', 'captured']),
  tokens: z.int(),
  /** True for the one call that credited it. */
  credited: z.boolean(),
  balanceTokens: z.int(),
});
export type PaymentResult = z.infer<typeof PaymentResult>;

/**
 * Takes what the gateway says of a payment, from whichever of its mouths, and credits it once when it is
 * captured; what has gone back of it is taken out in the same act. Its state only goes forward. Refuses `not-found` and `payment-mismatch`, each with a case.
 */
export async function observePayment(db: Db, facts: PaymentFacts): Promise<PaymentResult> {
  return callFunction(
    db,
    sql`select payment_observed(${JSON.stringify(facts)}::jsonb) as result`,
    PaymentResult,
  );
}

/** Keeps that a webhook came, and what is to be kept of it (`body`). False when it had been processed before. */
export async function recordWebhook(
  db: Db,
  webhook: { gatewayEventId: string; type: string; body: string },
): Promise<boolean> {
  return callFunction(
    db,
    sql`insert into ${webhookEvents} as w (gateway_event_id, type, body)
      values (${webhook.gatewayEventId}, ${webhook.type}, ${webhook.body})
      on conflict (gateway_event_id) do update set deliveries = w.deliveries + 1
      returning w.processed_at is null as result`,
    z.boolean(),
  );
}

/** Marks a webhook as done; with `refusal` it is one that could not be applied, and says why. */
export async function markWebhookProcessed(
  db: Db,
  gatewayEventId: string,
  refusal: string | null = null,
): Promise<void> {
  await db
    .update(webhookEvents)
    .set({ processedAt: refusal === null ? sql`now()` : null, refusal })
    .where(eq(webhookEvents.gatewayEventId, gatewayEventId));
}

/** Removes what was kept of webhooks that came so long ago, of so many at most; that they came stays. Answers of how many. */
export async function forgetWebhooks(db: Db, keepSeconds: number, limit: number): Promise<number> {
  const old = db
    .select({ id: webhookEvents.gatewayEventId })
    .from(webhookEvents)
    .where(
      sql`${webhookEvents.body} <> '' and ${webhookEvents.receivedAt} < now() - make_interval(secs => ${keepSeconds})`,
    )
    .limit(limit);
  const forgotten = await db
    .update(webhookEvents)
    .set({ body: '' })
    .where(inArray(webhookEvents.gatewayEventId, old))
    .returning({ id: webhookEvents.gatewayEventId });
  return forgotten.length;
}
