// Payments: orders at the price of their moment, and payments that are credited once, whoever tells of them.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  createOrder,
  listPackages,
  markWebhookProcessed,
  observePayment,
  type PaymentFacts,
  type PlacedOrder,
  readBalance,
  readLimits,
  readOrderStatus,
  recordWebhook,
  reopenOrder,
  setGatewayOrder,
  setLimits,
  takeOrdersToCheck,
  verifyBooks,
} from './index.ts';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(async () => {
  await database.close();
});

function factsOf(order: PlacedOrder, change: Partial<PaymentFacts> = {}): PaymentFacts {
  return {
    gatewayPaymentId: cast.unique('pay'),
    gatewayOrderId: order.gatewayOrderId ?? '',
    amountPaise: order.amountPaise,
    currency: 'INR',
    status: 'captured',
    ...change,
  };
}

/** Every order in which these can come. */
function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, index) =>
    ordersOf(items.toSpliced(index, 1)).map((others) => [first, ...others]),
  );
}

/** Carries out a few at a time. */
async function each<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await act(item);
    }),
  );
}

describe('how an order stands', () => {
  const standing = async (order: PlacedOrder) => {
    const { state, failure } = (await readOrderStatus(database.db, order.id)) ?? {};
    return failure ? [state, failure.gatewayPaymentId, failure.reason] : [state];
  };
  async function age(order: PlacedOrder, interval: string): Promise<void> {
    for (const table of ['orders', 'payments']) {
      const key = table === 'orders' ? 'id' : 'order_id';
      await database.asOwner(
        `update ${table} set created_at = created_at - $2::interval where ${key} = $1`,
        [order.id, interval],
      );
    }
  }
  const placed = async () => cast.orderOf((await cast.person()).id);

  test('one that nobody pays expires, and one that is paid late is paid all the same', async () => {
    const order = await placed();
    expect(await standing(order)).toEqual(['created']);
    await age(order, '14 minutes');
    expect(await standing(order)).toEqual(['created']);
    await age(order, '1 minute');
    expect(await standing(order)).toEqual(['expired']);
    // Somebody begins to pay it after all.
    const facts = factsOf(order);
    await observePayment(database.db, { ...facts, status: 'created' });
    expect(await standing(order)).toEqual(['attempted']);
    await age(order, '15 minutes');
    expect(await standing(order)).toEqual(['expired']);
    await observePayment(database.db, { ...facts, status: 'authorized' });
    expect(await standing(order)).toEqual(['attempted']);
    await age(order, '1 day');
    expect(await standing(order)).toEqual(['attempted']);
    expect(await observePayment(database.db, facts)).toMatchObject({ credited: true });
    expect(await standing(order)).toEqual(['paid']);
  });

  test('one whose payment failed says which and why, until another is begun, and is still paid in the end', async () => {
    const order = await placed();
    const [first, second] = [factsOf(order), factsOf(order)];
    const fail = (facts: PaymentFacts, errorReason: string) =>
      observePayment(database.db, { ...facts, status: 'failed', errorReason });
    await fail(first, 'payment_cancelled');
    const failed = ['failed', first.gatewayPaymentId, 'payment_cancelled'];
    expect(await standing(order)).toEqual(failed);
    await age(order, '1 day');
    expect(await standing(order)).toEqual(failed);
    await observePayment(database.db, { ...second, status: 'created' });
    expect(await standing(order)).toEqual(['attempted']);
    // The first one is told of once more.
    await fail(first, 'payment_cancelled');
    expect(await standing(order)).toEqual(['attempted']);
    await fail(second, 'insufficient_funds');
    expect(await standing(order)).toEqual([
      'failed',
      second.gatewayPaymentId,
      'insufficient_funds',
    ]);
    await observePayment(database.db, { ...first, status: 'authorized' });
    expect(await standing(order)).toEqual(['attempted']);
    await observePayment(database.db, first);
    expect(await standing(order)).toEqual(['paid']);
    expect(await readOrderStatus(database.db, randomUUID())).toBeNull();
  });
});

describe('the life of a payment', () => {
  test('told in any order, with a late authorisation, it ends in one state and one credit', async () => {
    await cast.setRule('order_open_max', null);
    await cast.setRule('order_day_paise', null);
    const events: Partial<PaymentFacts>[] = [
      { status: 'created' },
      { status: 'failed', method: 'upi', errorReason: 'payment_timed_out' },
      { status: 'authorized', method: 'upi', instrumentHash: 'a-hash' },
      { status: 'captured' },
      { status: 'captured', feePaise: 139, feeTaxPaise: 21 },
      { status: 'refunded', method: 'upi', feePaise: 139, feeTaxPaise: 21 },
    ];
    const ends = new Map<string, number>();
    await each(ordersOf(events), async (told) => {
      const user = await cast.person();
      const order = await cast.orderOf(user.id);
      const gatewayPaymentId = cast.unique('pay');
      let credits = 0;
      for (const event of told) {
        const result = await observePayment(
          database.db,
          factsOf(order, { gatewayPaymentId, ...event }),
        );
        if (result.credited) credits += 1;
      }
      const [payment] = await database.asOwner(
        `select p.state, p.method, p.instrument_hash, p.fee_paise, p.fee_tax_paise, p.error_reason,
            p.refunded_paise, o.state as order_state, o.paid_at is not null as order_paid
          from payments p join orders o on o.id = p.order_id where p.gateway_payment_id = $1`,
        [gatewayPaymentId],
      );
      const end = JSON.stringify({
        payment,
        credits,
        balance: await readBalance(database.db, user.id),
      });
      ends.set(end, (ends.get(end) ?? 0) + 1);
    });
    expect([...ends].map(([end, times]) => [JSON.parse(end), times])).toEqual([
      [
        {
          payment: {
            state: 'captured',
            method: 'upi',
            instrument_hash: 'a-hash',
            fee_paise: '139',
            fee_tax_paise: '21',
            error_reason: null,
            refunded_paise: '0',
            order_state: 'paid',
            order_paid: true,
          },
          credits: 1,
          balance: 50,
        },
        720,
      ],
    ]);
  }, 60_000);

  test('a payment that failed credits nothing, and may still be captured days later', async () => {
    const user = await cast.person();
    const order = await cast.orderOf(user.id);
    const facts = factsOf(order);
    await observePayment(database.db, { ...facts, status: 'failed', errorReason: 'declined' });
    expect(await readBalance(database.db, user.id)).toBe(0);
    await observePayment(database.db, { ...facts, status: 'authorized' });
    expect(await readBalance(database.db, user.id)).toBe(0);
    const late = await observePayment(database.db, facts);
    expect(late).toMatchObject({ credited: true, balanceTokens: order.tokens });
  });

  test('two payments of one order are both credited, and somebody looks at the second', async () => {
    const user = await cast.person();
    const order = await cast.orderOf(user.id);
    const facts = Array.from({ length: 2 }, () => factsOf(order));
    await Promise.all(
      Array.from({ length: 12 }, (_, turn) =>
        observePayment(database.db, facts[turn % 2] ?? factsOf(order)),
      ),
    );
    expect(await readBalance(database.db, user.id)).toBe(2 * order.tokens);
    const cases = await Promise.all(facts.map((one) => cast.casesOf(one.gatewayPaymentId)));
    expect(cases.toSorted()).toEqual([[], ['order-paid-twice']]);
  });

  test('many payments, each delivered several times at once, are credited once each', async () => {
    const orders = await Promise.all(
      Array.from({ length: 40 }, async () => cast.orderOf((await cast.person()).id)),
    );
    const deliveries = orders.flatMap((order, index) => {
      const facts = factsOf(order);
      return Array.from({ length: 1 + (index % 5) }, () => facts);
    });
    const shuffled = deliveries.toSorted(() => Math.random() - 0.5);
    const results = await Promise.all(shuffled.map((facts) => observePayment(database.db, facts)));
    expect(results.filter((result) => result.credited)).toHaveLength(orders.length);
    for (const order of orders) {
      expect(await readBalance(database.db, order.userId)).toBe(order.tokens);
    }
  });

  test('another amount, currency or order than ordered opens a case and credits nothing', async () => {
    const user = await cast.person();
    const order = await cast.orderOf(user.id);
    const other = await cast.orderOf(user.id);
    const attempts: [Partial<PaymentFacts>, string, string][] = [
      [{ amountPaise: order.amountPaise + 1 }, 'payment-mismatch', 'payment-mismatch'],
      [{ amountPaise: order.amountPaise - 1 }, 'payment-mismatch', 'payment-mismatch'],
      [{ currency: 'USD' }, 'payment-mismatch', 'payment-mismatch'],
      [{ gatewayOrderId: 'order_unknown' }, 'not-found', 'payment-of-unknown-order'],
    ];
    for (const [change, code, kind] of attempts) {
      const facts = factsOf(order, change);
      expect((await refusalOf(observePayment(database.db, facts))).code).toBe(code);
      expect(await cast.casesOf(facts.gatewayPaymentId)).toEqual([kind]);
    }
    expect(await readBalance(database.db, user.id)).toBe(0);
    const paid = factsOf(order);
    await observePayment(database.db, paid);
    const moved = { ...paid, gatewayOrderId: other.gatewayOrderId ?? '' };
    expect((await refusalOf(observePayment(database.db, moved))).code).toBe('payment-mismatch');
    expect(await cast.casesOf(paid.gatewayPaymentId)).toEqual(['payment-mismatch']);
    expect(await readBalance(database.db, user.id)).toBe(order.tokens);
  });

  test.each(['amountPaise', 'currency'])('facts without %s credit nothing', async (missing) => {
    const user = await cast.person();
    const facts = factsOf(await cast.orderOf(user.id));
    const answer = await database.asOwner<{ result: { refused?: string } }>(
      'select payment_observed($1::jsonb - $2) as result',
      [JSON.stringify(facts), missing],
    );
    expect(answer[0]?.result.refused).toBe('payment-mismatch');
    expect(await readBalance(database.db, user.id)).toBe(0);
  });
});

describe('orders', () => {
  const packageOf = async (index = 0) => (await listPackages(database.db))[index]?.id ?? '';

  test('the same key orders once, at the price of that moment, and is refused for another package', async () => {
    const user = await cast.person();
    const order = { userId: user.id, packageId: await packageOf(), idempotencyKey: 'a-key' };
    const made = await Promise.all(
      Array.from({ length: 8 }, () => createOrder(database.db, order)),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const other = { ...order, packageId: await packageOf(1) };
    expect((await refusalOf(createOrder(database.db, other))).code).toBe('idempotency-key-reused');
    const [first] = await Promise.all(
      ['order_1st', 'order_2nd'].map((id) => setGatewayOrder(database.db, made[0]?.id ?? '', id)),
    );
    const later = await setGatewayOrder(database.db, made[0]?.id ?? '', 'order_3rd');
    expect(later.gatewayOrderId).toBe(first?.gatewayOrderId);
  });

  test('an old order keeps its price when its package is withdrawn, and no new one is made', async () => {
    const [row] = await database.asOwner<{ id: string }>(
      `insert into packages (name, tokens, price_paise, gst_rate_bp) values ('Gone soon', 10, 2360, 1800)
        returning id`,
    );
    const packageId = row?.id ?? '';
    const user = await cast.person();
    const made = await createOrder(database.db, {
      userId: user.id,
      packageId,
      idempotencyKey: 'before',
    });
    await database.asOwner('update packages set offered_until = now() where id = $1', [packageId]);
    const late = { userId: user.id, packageId, idempotencyKey: 'after-it' };
    expect((await refusalOf(createOrder(database.db, late))).code).toBe('package-unavailable');
    const order = await setGatewayOrder(database.db, made.id, cast.unique('order'));
    await cast.pay(order);
    expect(await readBalance(database.db, user.id)).toBe(10);
  });

  test('banned people order nothing, and nobody orders without end', async () => {
    const user = await cast.person();
    const order = async (idempotencyKey: string, index = 0) =>
      createOrder(database.db, {
        userId: user.id,
        packageId: await packageOf(index),
        idempotencyKey,
      });
    await cast.setRule('order_open_max', 3);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 9 }, (_, turn) => order(`open-${turn}`)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    await cast.setRule('order_open_max', null);
    await cast.setRule('order_day_paise', 4 * 5900);
    await order('fourth');
    expect((await refusalOf(order('fifth'))).details).toEqual({
      period: 'day',
      limitPaise: 4 * 5900,
      spentPaise: 4 * 5900,
    });
    await cast.setRule('order_day_paise', null);
    await database.asOwner('update users set banned_at = now() where id = $1', [user.id]);
    expect((await refusalOf(order('banned'))).code).toBe('account-banned');
  });

  describe('the limits in rupees', () => {
    const none = { dayTokens: null, monthTokens: null, dayPaise: null, monthPaise: null };
    const spentPaise = async (userId: string) =>
      (await readLimits(database.db, userId)).spent.dayPaise;
    const age = (orderId: string, interval: string) =>
      database.asOwner(
        `with aged as (update payments set created_at = created_at - $2::interval where order_id = $1)
        update orders set created_at = created_at - $2::interval, reopened_at = reopened_at - $2::interval
          where id = $1`,
        [orderId, interval],
      );

    test('are not passed by orders that were left lying: each needs room again when it is paid', async () => {
      const user = await cast.person();
      await setLimits(database.db, user.id, { ...none, dayPaise: 12_000 });
      const orders: PlacedOrder[] = [];
      for (let n = 0; n < 3; n += 1) {
        const order = await cast.orderOf(user.id);
        await age(order.id, '16 minutes');
        orders.push(order);
      }
      expect(await spentPaise(user.id)).toBe(0);
      const outcomes = await Promise.allSettled(
        orders.map((order) => reopenOrder(database.db, order.id)),
      );
      const codes = outcomes.map((one) => (one.status === 'fulfilled' ? 'open' : one.reason.code));
      expect(codes.toSorted()).toEqual(['open', 'open', 'spending-limit']);
      expect(await spentPaise(user.id)).toBe(11_800);
      expect((await refusalOf(cast.orderOf(user.id))).code).toBe('spending-limit');
      // What is open stays open; when it is left lying again it counts no more.
      const [opened] = orders.filter((_, place) => codes[place] === 'open');
      await reopenOrder(database.db, opened?.id ?? '');
      await age(opened?.id ?? '', '16 minutes');
      expect(await spentPaise(user.id)).toBe(5_900);
    });

    test('count an order while a payment of it is under way, however old it is', async () => {
      const user = await cast.person();
      const order = await cast.orderOf(user.id);
      await age(order.id, '2 days');
      expect(await spentPaise(user.id)).toBe(0);
      const said = (status: 'created' | 'authorized' | 'failed') =>
        observePayment(database.db, {
          gatewayPaymentId: `pay_${order.id}`,
          gatewayOrderId: order.gatewayOrderId ?? '',
          amountPaise: order.amountPaise,
          currency: 'INR',
          status,
        });
      await said('created');
      expect(await spentPaise(user.id)).toBe(5_900);
      await age(order.id, '16 minutes');
      expect(await spentPaise(user.id)).toBe(0);
      await said('authorized');
      expect(await spentPaise(user.id)).toBe(5_900);
    });

    test('count what was paid by the day of the payment, not of the order', async () => {
      const user = await cast.person();
      await setLimits(database.db, user.id, { ...none, dayPaise: 6_000 });
      const yesterday = await cast.orderOf(user.id);
      await age(yesterday.id, '24 hours');
      // Money that comes without our having been asked is credited, and counts.
      await cast.pay(yesterday);
      expect(await readBalance(database.db, user.id)).toBe(yesterday.tokens);
      expect(await spentPaise(user.id)).toBe(5_900);
      expect((await refusalOf(cast.orderOf(user.id))).code).toBe('spending-limit');
      // Both payments of an order that was paid twice were paid.
      await cast.pay(yesterday);
      expect(await spentPaise(user.id)).toBe(11_800);
      await database.asOwner(
        `update payments set captured_at = period_start('day', now()) - interval '1 second' where order_id = $1`,
        [yesterday.id],
      );
      expect(await spentPaise(user.id)).toBe(0);
    });

    test('that were lowered bind the next payment of an order that is open', async () => {
      const user = await cast.person();
      const order = await cast.orderOf(user.id);
      await reopenOrder(database.db, order.id);
      await setLimits(database.db, user.id, { ...none, dayPaise: 5_899 });
      expect((await refusalOf(reopenOrder(database.db, order.id))).details).toEqual({
        period: 'day',
        limitPaise: 5_899,
        spentPaise: 5_900,
      });
      await setLimits(database.db, user.id, { ...none, dayPaise: 0 });
      await cast.pay(order);
      await reopenOrder(database.db, order.id);
    });

    test('bind whoever asks for an old order again under its key', async () => {
      const user = await cast.person();
      const asked = { userId: user.id, packageId: await packageOf(0), idempotencyKey: 'old-key' };
      const order = await createOrder(database.db, asked);
      await setLimits(database.db, user.id, { ...none, dayPaise: 6_000 });
      expect((await createOrder(database.db, asked)).id).toBe(order.id);
      await age(order.id, '16 minutes');
      const other = await cast.orderOf(user.id);
      expect((await refusalOf(createOrder(database.db, asked))).code).toBe('spending-limit');
      await age(other.id, '16 minutes');
      expect((await createOrder(database.db, asked)).id).toBe(order.id);
      expect((await refusalOf(reopenOrder(database.db, other.id))).code).toBe('spending-limit');
      await database.asOwner('update users set banned_at = now() where id = $1', [user.id]);
      expect((await refusalOf(reopenOrder(database.db, other.id))).code).toBe('account-banned');
      expect((await refusalOf(createOrder(database.db, asked))).code).toBe('account-banned');
      // One that is paid needs no room, and takes that of others.
      await cast.pay(other);
      await reopenOrder(database.db, other.id);
      await database.asOwner('update users set banned_at = null where id = $1', [user.id]);
      expect((await refusalOf(createOrder(database.db, asked))).code).toBe('spending-limit');
    });
  });

  test('an open order is asked about after a while, ever later, by one of many, and at last no more', async () => {
    const order = await cast.orderOf((await cast.person()).id);
    const mine = async () => {
      const rounds = await Promise.all(
        Array.from({ length: 5 }, () => takeOrdersToCheck(database.db, 10)),
      );
      return rounds.flat().filter(({ id }) => id === order.id).length;
    };
    const age = (interval: string) =>
      database.asOwner(
        `update orders set created_at = created_at - $2::interval, check_at = check_at - $2::interval
          where id = $1`,
        [order.id, interval],
      );
    expect(await mine()).toBe(0);
    await age('16 minutes');
    expect(await mine()).toBe(1);
    expect(await mine()).toBe(0);
    await age('25 hours');
    expect(await mine()).toBe(1);
    await age('5 hours');
    expect(await mine()).toBe(0);
    await age('4 days');
    expect(await mine()).toBe(1);
    await age('30 days');
    expect(await mine()).toBe(0);
  });
});

test('a webhook is kept once under its event id, and comes again until it was applied', async () => {
  const webhook = { gatewayEventId: 'event_1', type: 'payment.captured', body: '{}' };
  expect(await recordWebhook(database.db, webhook)).toBe(true);
  expect(await recordWebhook(database.db, webhook)).toBe(true);
  await markWebhookProcessed(database.db, 'event_1');
  expect(await recordWebhook(database.db, webhook)).toBe(false);
  const rows = await database.asOwner('select deliveries, body from webhook_events');
  expect(rows).toEqual([{ deliveries: 3, body: '{}' }]);
});

test('after all of this every invariant holds', async () => {
  expect(await verifyBooks(database.db)).toEqual([]);
});
