// Payments: packages on sale, orders, and the gateway's webhooks as they came.
import { and, eq, isNull, lt, sql } from 'drizzle-orm';
import { z } from 'zod';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { orders, packages, webhookEvents } from './schema/index.ts';

export type PackageRow = typeof packages.$inferSelect;
export type OrderRow = typeof orders.$inferSelect;

const offered = and(
  sql`${packages.offeredFrom} <= now()`,
  sql`coalesce(${packages.offeredUntil}, 'infinity') > now()`,
);

/** Packages on sale, smallest first. */
export async function listPackages(db: Db): Promise<PackageRow[]> {
  return db.select().from(packages).where(offered).orderBy(packages.tokens);
}

export async function findOfferedPackage(db: Db, packageId: string): Promise<PackageRow | null> {
  const [row] = await db
    .select()
    .from(packages)
    .where(and(eq(packages.id, packageId), offered))
    .limit(1);
  return row ?? null;
}

/** Adds an order at the package's present price; the same key of the same user gives the same order back. */
export async function createOrder(
  db: Db,
  order: { userId: string; package: PackageRow; idempotencyKey: string },
): Promise<OrderRow> {
  const [row] = await db
    .insert(orders)
    .values({
      userId: order.userId,
      packageId: order.package.id,
      tokens: order.package.tokens,
      amountPaise: order.package.pricePaise,
      gstPaise: order.package.gstPaise,
      idempotencyKey: order.idempotencyKey,
    })
    .onConflictDoUpdate({
      target: [orders.userId, orders.idempotencyKey],
      // Nothing changes; it makes the row that was there come back.
      set: { idempotencyKey: order.idempotencyKey },
    })
    .returning();
  if (!row) throw new Error('the insert returned no row');
  return row;
}

/** Keeps the gateway's id for an order; the first one stays. */
export async function setGatewayOrder(
  db: Db,
  orderId: string,
  gatewayOrderId: string,
): Promise<OrderRow> {
  await db
    .update(orders)
    .set({ gatewayOrderId })
    .where(and(eq(orders.id, orderId), isNull(orders.gatewayOrderId)));
  const [row] = await db.select().from(orders).where(eq(orders.id, orderId)).limit(1);
  if (!row) throw new Error('the order has gone');
  return row;
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

/** Orders that have been open for a while: their payment may have been missed. */
export async function listOpenOrders(
  db: Db,
  page: { olderThanSeconds: number; youngerThanSeconds: number; limit: number },
): Promise<OrderRow[]> {
  return db
    .select()
    .from(orders)
    .where(
      and(
        eq(orders.state, 'created'),
        lt(orders.createdAt, sql`now() - make_interval(secs => ${page.olderThanSeconds})`),
        sql`${orders.createdAt} > now() - make_interval(secs => ${page.youngerThanSeconds})`,
        sql`${orders.gatewayOrderId} is not null`,
      ),
    )
    .orderBy(orders.createdAt)
    .limit(page.limit);
}

/** Keeps a webhook as it came. False when it had been processed before. */
export async function recordWebhook(
  db: Db,
  webhook: { gatewayEventId: string; type: string; body: unknown },
): Promise<boolean> {
  return callFunction(
    db,
    sql`insert into ${webhookEvents} as w (gateway_event_id, type, body)
      values (${webhook.gatewayEventId}, ${webhook.type}, ${JSON.stringify(webhook.body)}::jsonb)
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
