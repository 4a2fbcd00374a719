// Payments: packages on sale, orders, and the gateway's webhooks as they came.
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id, OrderState } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { orders, packages, webhookEvents } from './schema/index.ts';

export type PackageRow = typeof packages.$inferSelect;
export type OrderRow = typeof orders.$inferSelect;

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

/** Adds an order at the package's present price; the same key of the same user gives the same order back. */
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

/** Open orders about which the gateway should be asked now; each comes again after a while, ever later. */
export async function takeOrdersToCheck(db: Db, limit: number): Promise<PlacedOrder[]> {
  return callFunction(db, sql`select orders_to_check(${limit}) as result`, PlacedOrder.array());
}

/** Keeps a webhook as it came. False when it had been processed before. */
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

export async function markWebhookProcessed(db: Db, gatewayEventId: string): Promise<void> {
  await db
    .update(webhookEvents)
    .set({ processedAt: sql`now()` })
    .where(eq(webhookEvents.gatewayEventId, gatewayEventId));
}
