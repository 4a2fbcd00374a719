// The storm: thousands of payments whose webhooks come repeated and shuffled while their buyers verify them.
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { verifyBooks } from '#db';
import {
  gatewayKeyId,
  gatewayKeySecret,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { createCast, type Member } from '../testing/cast.ts';

const paymentsCount = 5_000;
/** Buyers who act at once. */
const buyersAtOnce = 24;
/** They come in waves, so that webhooks do not fall so far behind that every buyer is faster. */
const waveSize = 250;

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(() => edge.close());

interface Paid {
  buyer: Member;
  gatewayOrderId: string;
  gatewayPaymentId: string;
}

/** Orders at the gateway, one for each buyer, and in the database all at once. */
async function order(buyers: readonly Member[]): Promise<string[]> {
  const opened = await Promise.all(
    buyers.map(async () => {
      const answer = await fetch(`${edge.sandbox.url}/v1/orders`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${gatewayKeyId}:${gatewayKeySecret}`)}` },
        body: JSON.stringify({ amount: 5_900, currency: 'INR', receipt: 'storm' }),
      });
      return z.object({ id: z.string() }).parse(await answer.json()).id;
    }),
  );
  await edge.database.asOwner(
    `insert into orders (user_id, package_id, tokens, amount_paise, gst_paise, idempotency_key, gateway_order_id)
      select b.id, k.id, k.tokens, k.price_paise, k.gst_paise, b.gateway_order_id, b.gateway_order_id
        from unnest($1::uuid[], $2::text[]) b (id, gateway_order_id), packages k where k.price_paise = 5900`,
    [buyers.map(({ id }) => id), opened],
  );
  return opened;
}

function verify({ buyer, gatewayOrderId, gatewayPaymentId }: Paid) {
  const signature = createHmac('sha256', gatewayKeySecret)
    .update(`${gatewayOrderId}|${gatewayPaymentId}`)
    .digest('hex');
  return buyer.call('POST', '/v1/payments/verify', {
    body: { gatewayOrderId, gatewayPaymentId, signature },
  });
}

test('5,000 payments, their webhooks repeated and shuffled, are credited once each', async () => {
  const cast = createCast(edge);
  const users = await edge.database.asOwner<{ id: string; username: string }>(
    `insert into users (email, username, password_hash, date_of_birth, country, created_at)
      select 'storm' || n || '@example.com', 'storm' || n, 'x', '1990-01-01', 'IN', now() - interval '1 year'
        from generate_series(1, $1::int) n returning id, username`,
    [paymentsCount],
  );
  await edge.control.setFaults({
    webhooks: { events: ['payment.captured'], extraCopies: 4, shuffleMs: 100 },
    seed: 5,
  });
  let creditedHere = 0;
  for (let from = 0; from < paymentsCount; from += waveSize) {
    const buyers = await Promise.all(
      users.slice(from, from + waveSize).map((user) => cast.asMember({ ...user, role: 'viewer' })),
    );
    const orders = await order(buyers);
    const paid: Paid[] = [];
    await atOnce(orders, async (gatewayOrderId, place) => {
      const { payment } = await edge.control.pay(gatewayOrderId);
      const buyer = buyers[place];
      if (buyer) paid.push({ buyer, gatewayOrderId, gatewayPaymentId: payment.id });
    });
    await atOnce(paid, async (one) => {
      const { body } = await verify(one);
      expect(body).toMatchObject({ balanceTokens: 50 });
      if (body.credited) creditedHere += 1;
    });
    await edge.control.settled(60_000);
  }
  const [seen] = await edge.database.asOwner<{ deliveries: number }>(
    `select (select count(*) from ledger.journal where kind = 'purchase')::int as credits,
        (select count(*) from (select from ledger.lots where tokens_left = 50 group by owner_id
          having count(*) = 1) x)::int as buyers,
        (select count(*) from orders where state = 'paid')::int as paid,
        (select sum(deliveries) from webhook_events where type = 'payment.captured')::int as deliveries,
        (select count(*) from cases)::int as cases`,
  );
  expect(seen).toMatchObject({
    credits: paymentsCount,
    buyers: paymentsCount,
    paid: paymentsCount,
    cases: 0,
  });
  expect(seen?.deliveries).toBeGreaterThan(paymentsCount * 2.5);
  // A race that one side always wins would prove nothing.
  expect(creditedHere).toBeGreaterThan(paymentsCount * 0.05);
  expect(creditedHere).toBeLessThan(paymentsCount * 0.95);
  expect(await verifyBooks(edge.database.db)).toEqual([]);
}, 400_000);

async function atOnce<T>(
  items: readonly T[],
  act: (item: T, place: number) => Promise<void>,
): Promise<void> {
  const waiting = items.entries();
  await Promise.all(
    Array.from({ length: buyersAtOnce }, async () => {
      for (const [place, item] of waiting) await act(item, place);
    }),
  );
}
