// Payments over HTTP: orders and how they stand, verification, UPI payments, and what is refused on the way.
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readBalance, setBan, verifyBooks } from '#db';
import { gatewayKeySecret, newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { reconcileOrders } from '../jobs/reconcile.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterEach(async () => {
  await edge.control.resetFaults();
  await edge.control.moveClock(0);
});
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

const balanceOf = (who: { id: string }) => readBalance(edge.database.db, who.id);

async function packageId(index = 0): Promise<string> {
  return (await edge.call('GET', '/v1/payments/packages')).body.packages[index].id;
}

const signatureOf = (gatewayOrderId: string, gatewayPaymentId: string) =>
  createHmac('sha256', gatewayKeySecret)
    .update(`${gatewayOrderId}|${gatewayPaymentId}`)
    .digest('hex');

function verify(who: Member, gatewayOrderId: string, gatewayPaymentId: string, changes = {}) {
  const signature = signatureOf(gatewayOrderId, gatewayPaymentId);
  return who.call('POST', '/v1/payments/verify', {
    body: { gatewayOrderId, gatewayPaymentId, signature, ...changes },
  });
}

const statusOf = async (who: Member, orderId: string) =>
  (await who.call('GET', `/v1/payments/orders/${orderId}`)).body;

describe('orders', () => {
  test('the price is the server’s, and the answer is all that Checkout needs', async () => {
    const buyer = await cast.member();
    const { body: offer } = await edge.call('GET', '/v1/payments/packages');
    const [cheapest] = offer.packages;
    const answer = await buyer.act('POST', '/v1/payments/orders', { packageId: cheapest.id });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      tokens: cheapest.tokens,
      amountPaise: cheapest.pricePaise,
      currency: 'INR',
      gatewayKeyId: 'rzp_test_key',
      state: 'created',
      gatewayOrderId: expect.stringMatching(/^order_/),
    });
    expect(await statusOf(buyer, answer.body.id)).toEqual({
      id: answer.body.id,
      state: 'created',
      failure: null,
      tokens: cheapest.tokens,
      amountPaise: cheapest.pricePaise,
      balanceTokens: 0,
    });
  });

  test('what is not an order is refused', async () => {
    const buyer = await cast.member();
    const wrong: [body: unknown, status: number, code: string][] = [
      [{}, 422, 'invalid-request'],
      [{ packageId: 'cheap' }, 422, 'invalid-request'],
      [{ packageId: await packageId(), amountPaise: 1 }, 422, 'invalid-request'],
      [{ packageId: newKey() }, 409, 'package-unavailable'],
    ];
    for (const [body, status, code] of wrong) {
      const answer = await buyer.act('POST', '/v1/payments/orders', body);
      expect(refused(answer), JSON.stringify(body)).toEqual([status, code]);
    }
    const body = { packageId: await packageId() };
    const keyless = await buyer.call('POST', '/v1/payments/orders', { body });
    expect(refused(keyless)).toEqual([400, 'missing-idempotency-key']);
    const malformed = await buyer.act('POST', '/v1/payments/orders', body, 'short');
    expect(refused(malformed)).toEqual([400, 'missing-idempotency-key']);
    expect(refused(await edge.call('POST', '/v1/payments/orders', { body }))).toEqual([
      401,
      'unauthenticated',
    ]);
  });

  test('an order of somebody else is not found, read or paid', async () => {
    const [buyer, stranger] = [await cast.member(), await cast.member()];
    const order = await cast.order(buyer);
    for (const [method, path] of [
      ['GET', `/v1/payments/orders/${order.id}`],
      ['POST', `/v1/payments/orders/${order.id}/upi`],
      ['GET', `/v1/payments/orders/${newKey()}`],
    ] as const) {
      expect(refused(await stranger.call(method, path)), path).toEqual([404, 'not-found']);
      expect(refused(await edge.call(method, path)), path).toEqual([401, 'unauthenticated']);
    }
    expect(refused(await buyer.call('GET', '/v1/payments/orders/nonsense'))).toEqual([
      422,
      'invalid-request',
    ]);
  });

  test('a banned buyer orders nothing', async () => {
    const [buyer, staff] = [await cast.member(), await cast.member('admin')];
    await setBan(edge.database.db, {
      userId: buyer.id,
      staffId: staff.id,
      banned: true,
      reason: 'fraud',
    });
    const answer = await buyer.act('POST', '/v1/payments/orders', { packageId: await packageId() });
    // As soon as the ban is heard of, their token is worth nothing.
    expect(['account-banned', 'unauthenticated']).toContain(answer.body.code);
  });

  test('unpaid orders, and the money of a day, have their limits', async () => {
    const buyer = await cast.member();
    await edge.database.asOwner(
      `insert into orders (user_id, package_id, tokens, amount_paise, gst_paise, idempotency_key)
        select $1, id, tokens, price_paise, gst_paise, gen_random_uuid() from packages, generate_series(1, 20)
          where id = $2`,
      [buyer.id, await packageId()],
    );
    const body = { packageId: await packageId() };
    const answer = await buyer.act('POST', '/v1/payments/orders', body);
    expect(refused(answer)).toEqual([429, 'order-limit']);
    expect(answer.body.openMax).toBe(20);

    const rich = await cast.member();
    await edge.database.asOwner(
      `insert into rules (name, value, meaning) values ('order_day_paise', 10000, 'for a test')`,
    );
    await cast.order(rich);
    const more = await rich.act('POST', '/v1/payments/orders', body);
    expect(refused(more)).toEqual([429, 'order-limit']);
    expect(more.body).toMatchObject({ period: 'day', limitPaise: 10_000, spentPaise: 5_900 });
    await edge.database.asOwner(
      `insert into rules (name, value, meaning) values ('order_day_paise', 20000000, 'as before')`,
    );
  });

  test('a gateway that is away is told of, and the same key goes on with the same order', async () => {
    const buyer = await cast.member();
    const body = { packageId: await packageId() };
    const key = newKey();
    await edge.control.setFaults({
      answers: { rules: [{ fault: 'error-after', path: '/v1/orders', times: 1 }] },
    });
    const away = await buyer.act('POST', '/v1/payments/orders', body, key);
    expect(refused(away)).toEqual([503, 'gateway-unavailable']);
    const both = await Promise.all([
      buyer.act('POST', '/v1/payments/orders', body, key),
      buyer.act('POST', '/v1/payments/orders', body, key),
    ]);
    expect(both.map(({ status }) => status)).toEqual([201, 201]);
    expect(both[0]?.body).toEqual(both[1]?.body);
    const [{ orders } = { orders: 0 }] = await edge.database.asOwner<{ orders: number }>(
      'select count(*)::int as orders from orders where user_id = $1',
      [buyer.id],
    );
    expect(orders).toBe(1);
  });
});

describe('verification', () => {
  test('what Checkout handed over is credited once, whoever else tells of it', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const { payment } = await edge.control.pay(order.gatewayOrderId);
    const first = await verify(buyer, order.gatewayOrderId, payment.id);
    expect(first.body).toEqual({ orderId: order.id, credited: true, balanceTokens: order.tokens });
    const again = await verify(buyer, order.gatewayOrderId, payment.id);
    expect(again.body).toMatchObject({ credited: false, balanceTokens: order.tokens });
    expect((await statusOf(buyer, order.id)).state).toBe('paid');
  });

  test('what does not fit is refused, credits nothing, and smells of fraud', async () => {
    const [buyer, thief] = [await cast.member(), await cast.member()];
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const [order, other] = [await cast.order(buyer), await cast.order(buyer, 1)];
    const { payment } = await edge.control.pay(order.gatewayOrderId);
    const forged = { signature: 'f'.repeat(64) };
    const answer = await verify(buyer, order.gatewayOrderId, payment.id, forged);
    expect(refused(answer)).toEqual([400, 'invalid-signature']);
    expect(refused(await verify(thief, order.gatewayOrderId, payment.id))).toEqual([
      404,
      'not-found',
    ]);
    // Signed as only the gateway can, but of another order.
    expect(refused(await verify(buyer, other.gatewayOrderId, payment.id))).toEqual([
      409,
      'payment-mismatch',
    ]);
    expect(await cast.suspicions(buyer.id)).toEqual([
      'payment.forged-signature',
      'payment.mismatch',
    ]);
    expect(await cast.suspicions(thief.id)).toEqual(['payment.of-another']);
    for (const changes of [{ signature: 'f' }, { gatewayOrderId: '' }, { amountPaise: 1 }]) {
      const wrong = await verify(buyer, order.gatewayOrderId, payment.id, changes);
      expect(refused(wrong), JSON.stringify(changes)).toEqual([422, 'invalid-request']);
    }
    expect(refused(await verify(buyer, 'order_unknown', payment.id))).toEqual([404, 'not-found']);
    expect(await balanceOf(buyer)).toBe(0);
  });

  test('a payment of another amount than the order’s is refused, with a case', async () => {
    const buyer = await cast.member();
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const order = await cast.order(buyer);
    const { payment } = await edge.control.pay(order.gatewayOrderId);
    // As if the order had been opened at the gateway for less.
    await edge.database.asOwner('update orders set gateway_order_id = null where id = $1', [
      order.id,
    ]);
    const dear = await cast.order(buyer, 1);
    await edge.database.asOwner('update orders set gateway_order_id = $2 where id = $1', [
      dear.id,
      order.gatewayOrderId,
    ]);
    const answer = await verify(buyer, order.gatewayOrderId, payment.id);
    expect(refused(answer)).toEqual([409, 'payment-mismatch']);
    expect(await cast.suspicions(buyer.id)).toEqual(['payment.mismatch']);
    expect(await cast.cases(payment.id)).toEqual(['payment-mismatch']);
    expect(await balanceOf(buyer)).toBe(0);
  });

  test('a payment that failed, or that nobody has made, is not credited', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const { payment } = await edge.control.pay(order.gatewayOrderId, { outcome: 'failure' });
    const failed = await verify(buyer, order.gatewayOrderId, payment.id);
    expect(refused(failed)).toEqual([409, 'payment-not-captured']);
    expect(failed.body.state).toBe('failed');
    expect(refused(await verify(buyer, order.gatewayOrderId, 'pay_nobody'))).toEqual([
      409,
      'payment-mismatch',
    ]);
    expect(await balanceOf(buyer)).toBe(0);
  });

  test('nobody can make the edge ask the gateway without end', async () => {
    const buyer = await cast.member();
    const answers = await Promise.all(
      Array.from({ length: 33 }, () => verify(buyer, 'order_unknown', 'pay_unknown')),
    );
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(3);
  });

  test('a flood of forgeries is refused one by one, and fills no audit trail', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const forge = () => verify(buyer, order.gatewayOrderId, 'pay_x', { signature: 'a'.repeat(64) });
    const answers = await Promise.all(Array.from({ length: 28 }, forge));
    expect(new Set(answers.map(({ body }) => body.code))).toEqual(new Set(['invalid-signature']));
    expect(await cast.suspicions(buyer.id)).toHaveLength(20);
  });
});

describe('UPI', () => {
  const begin = (who: Member, orderId: string, headers: Record<string, string> = {}) =>
    who.call('POST', `/v1/payments/orders/${orderId}/upi`, { headers });

  test('a link for the phone and its apps; once approved, the tokens are there', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const { status, body } = await begin(buyer, order.id);
    expect(status).toBe(201);
    expect(body.link).toMatch(/^upi:\/\/pay\?pa=.+@.+&am=59\.00&cu=INR/);
    expect(body.apps.map(({ name }: { name: string }) => name)).toEqual([
      'Google Pay',
      'PhonePe',
      'Paytm',
    ]);
    for (const { link } of body.apps) expect(link.split('?')[1]).toBe(body.link.split('?')[1]);
    const minutes = (Date.parse(body.expiresAt) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(9.5);
    expect(minutes).toBeLessThanOrEqual(10);
    await edge.control.approve(body.gatewayPaymentId, 'asha@okaxis');
    await edge.control.settled();
    expect(await statusOf(buyer, order.id)).toMatchObject({
      state: 'paid',
      balanceTokens: order.tokens,
    });
  });

  test('declined or expired it fails, the order can be tried again, and nothing is credited', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const first = await begin(buyer, order.id);
    await edge.control.decline(first.body.gatewayPaymentId);
    await edge.control.settled();
    expect(await statusOf(buyer, order.id)).toMatchObject({
      state: 'failed',
      failure: { gatewayPaymentId: first.body.gatewayPaymentId, reason: 'cancelled' },
      balanceTokens: 0,
    });
    const second = await begin(buyer, order.id);
    // It waits for the new one, of which the gateway has told nothing yet.
    expect(await statusOf(buyer, order.id)).toMatchObject({ state: 'attempted', failure: null });
    await edge.control.moveClock(11 * 60);
    await edge.control.settled();
    expect(await statusOf(buyer, order.id)).toMatchObject({
      state: 'failed',
      failure: { gatewayPaymentId: second.body.gatewayPaymentId, reason: 'timed-out' },
    });
    const failed = await verify(buyer, order.gatewayOrderId, second.body.gatewayPaymentId);
    expect(failed.body).toMatchObject({ code: 'payment-not-captured', state: 'failed' });
    const third = await begin(buyer, order.id);
    await edge.control.approve(third.body.gatewayPaymentId);
    await edge.control.settled();
    expect(await balanceOf(buyer)).toBe(order.tokens);
  });

  test('approved days after it was taken for failed, it is captured and credited', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const { body } = await begin(buyer, order.id);
    await edge.control.expire(body.gatewayPaymentId);
    await edge.control.settled();
    expect(await statusOf(buyer, order.id)).toMatchObject({ state: 'failed' });
    await edge.control.moveClock(2 * 24 * 3600);
    await edge.control.authorizeLate(body.gatewayPaymentId);
    await edge.control.settled();
    expect(await statusOf(buyer, order.id)).toMatchObject({
      state: 'paid',
      balanceTokens: order.tokens,
    });
  });

  test('an order that nobody has paid in time has expired, and is paid when the money comes after all', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const { body } = await begin(buyer, order.id);
    expect((await statusOf(buyer, order.id)).state).toBe('attempted');
    for (const statement of [
      `update orders set created_at = now() - interval '1 hour' where id = $1`,
      `update payments set created_at = now() - interval '1 hour' where order_id = $1`,
    ]) {
      await edge.database.asOwner(statement, [order.id]);
    }
    // Nobody has told us what became of the payment.
    expect(await statusOf(buyer, order.id)).toMatchObject({ state: 'expired', failure: null });
    await edge.control.approve(body.gatewayPaymentId);
    await edge.database.asOwner(
      `update orders set check_at = now() - interval '1 minute' where id = $1`,
      [order.id],
    );
    await reconcileOrders(edge.parts.deps);
    expect(await statusOf(buyer, order.id)).toMatchObject({
      state: 'paid',
      balanceTokens: order.tokens,
    });
  });

  test('two approved payments of one order: one is credited, the other goes back and is nobody’s', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const [one, two] = [await begin(buyer, order.id), await begin(buyer, order.id)];
    await edge.control.approve(one.body.gatewayPaymentId);
    await edge.control.approve(two.body.gatewayPaymentId);
    await edge.control.settled();
    await edge.database.asOwner(
      `update orders set state = state, check_at = now() - interval '1 minute' where id = $1`,
      [order.id],
    );
    await reconcileOrders(edge.parts.deps);
    await verify(buyer, order.gatewayOrderId, two.body.gatewayPaymentId);
    expect(await balanceOf(buyer)).toBe(order.tokens);
    const { body } = await buyer.call('GET', '/v1/payments/refunds');
    expect(body.refunds).toEqual([]);
    const cases = await edge.database.asOwner('select kind from cases where details::text ~ $1', [
      [one, two].map((begun) => begun.body.gatewayPaymentId).join('|'),
    ]);
    expect(cases).toEqual([]);
  });

  test('an order that is paid, here or only at the gateway yet, takes no second payment', async () => {
    const buyer = await cast.member();
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const order = await cast.order(buyer);
    await edge.control.pay(order.gatewayOrderId);
    expect((await statusOf(buyer, order.id)).state).toBe('created');
    const answer = await begin(buyer, order.id);
    expect(refused(answer)).toEqual([409, 'already-decided']);
    // The refusal has told us of the payment.
    expect(await statusOf(buyer, order.id)).toMatchObject({
      state: 'paid',
      balanceTokens: order.tokens,
    });
    expect(refused(await begin(buyer, order.id))).toEqual([409, 'already-decided']);
  });

  test('an old order is begun only when its buyer’s limits have room for it now', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    await edge.database.asOwner(
      `update orders set created_at = now() - interval '16 minutes' where id = $1`,
      [order.id],
    );
    const limits = { dayTokens: null, monthTokens: null, monthPaise: null, dayPaise: 6_000 };
    await buyer.call('PUT', '/v1/wallet/limits', { body: limits });
    const other = await cast.order(buyer);
    const answer = await begin(buyer, order.id);
    expect(refused(answer)).toEqual([409, 'spending-limit']);
    expect(answer.body).toMatchObject({ period: 'day', limitPaise: 6_000, spentPaise: 5_900 });
    expect((await begin(buyer, other.id)).status).toBe(201);
    // Whoever pays it at the gateway all the same has paid: the tokens are theirs, and they count.
    const { payment } = await edge.control.pay(order.gatewayOrderId);
    expect((await verify(buyer, order.gatewayOrderId, payment.id)).body).toMatchObject({
      balanceTokens: order.tokens,
    });
    const { body } = await buyer.call('GET', '/v1/wallet/limits');
    expect(body.spent.dayPaise).toBe(11_800);
  });

  test('too many attempts for one order are refused', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    for (let tried = 0; tried < 20; tried += 1) {
      await edge.control.pay(order.gatewayOrderId, { outcome: 'failure' });
    }
    expect(refused(await begin(buyer, order.id))).toEqual([429, 'order-limit']);
  });

  test('a browser that says nothing of itself, or far too much, pays as well', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    expect((await begin(buyer, order.id, { 'user-agent': '' })).status).toBe(201);
    expect((await begin(buyer, order.id, { 'user-agent': 'x'.repeat(4_000) })).status).toBe(201);
  });

  test('while the gateway is away nothing is begun', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    await edge.control.setFaults({
      answers: { rules: [{ fault: 'error-before', path: '/create/upi' }] },
    });
    expect(refused(await begin(buyer, order.id))).toEqual([503, 'gateway-unavailable']);
  });
});
