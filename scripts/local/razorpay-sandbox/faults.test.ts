// The faults that the sandbox commits on request, in answers and in webhooks.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultsPatch } from './faults.ts';
import { startTestSandbox, type TestSandbox, testWebhookSecret } from './test-sandbox.ts';
import { signed } from './webhook-receiver.ts';

let t: TestSandbox;
beforeAll(async () => {
  t = await startTestSandbox();
});
afterAll(() => t.close());
beforeEach(async () => {
  await t.control.resetFaults();
  await t.control.settled();
  t.receiver.received.length = 0;
});

type AnswerRules = NonNullable<NonNullable<FaultsPatch['answers']>['rules']>;

describe('answers', () => {
  const setRules = (...rules: AnswerRules) => t.control.setFaults({ answers: { rules } });
  const create = (receipt: string, timeoutMs = 5_000) =>
    t.rest(
      'POST',
      '/orders',
      { amount: 100, currency: 'INR', receipt },
      {},
      AbortSignal.timeout(timeoutMs),
    );
  const receipts = async () =>
    (await t.razorpay.orders.all({ count: 100 })).items.map(({ receipt }) => receipt);

  test.each(['cut-before', 'error-before'] as const)(
    '%s: the request is not carried out',
    async (fault) => {
      await setRules({ fault, times: 1 });
      const answer = await create(fault).catch(() => null);
      expect(answer?.status).toBe(fault === 'error-before' ? 502 : undefined);
      expect(await receipts()).not.toContain(fault);
    },
  );

  test.each(['cut-after', 'error-after', 'hang'] as const)(
    '%s: the request is carried out',
    async (fault) => {
      await setRules({ fault, times: 1 });
      const answer = await create(fault, 200).catch(() => null);
      expect(answer?.status).toBe(fault === 'error-after' ? 502 : undefined);
      expect(await receipts()).toContain(fault);
    },
  );

  test('late: the request is carried out after its client has gone', async () => {
    await setRules({ fault: 'late', delayMs: 300, times: 1 });
    await expect(create('late', 100)).rejects.toThrow();
    expect(await receipts()).not.toContain('late');
    await expect.poll(receipts, { timeout: 5_000 }).toContain('late');
  });

  test('an error says what the gateway would say, and the package hands it on', async () => {
    await setRules(
      { fault: 'error-after', status: 504, path: '/v1/orders', method: 'POST' },
      { fault: 'error-before', status: 409, path: '/v1/payments' },
    );
    await expect(t.razorpay.orders.create({ amount: 100, currency: 'INR' })).rejects.toMatchObject({
      statusCode: 504,
      error: { code: 'GATEWAY_ERROR' },
    });
    await expect(t.razorpay.payments.all()).rejects.toMatchObject({
      statusCode: 409,
      error: { description: 'Request failed because another operation is in progress' },
    });
  });

  test('a rule hits its path, its method and its times only, and survives other changes', async () => {
    await setRules({ fault: 'error-before', path: '/v1/orders', method: 'POST', times: 2 });
    expect((await t.rest('GET', '/orders')).status).toBe(200);
    expect((await t.rest('GET', '/payments')).status).toBe(200);
    expect((await create('first')).status).toBe(502);
    await t.control.setFaults({ webhooks: { copies: 2 } });
    expect((await create('second')).status).toBe(502);
    expect((await create('third')).status).toBe(200);
    // Set again, it starts to count again.
    await setRules({ fault: 'error-before', times: 1 });
    expect((await create('fourth')).status).toBe(502);
  });

  test('a share of the requests is hit, the same with the same seed', async () => {
    const hits = async () => {
      await t.control.resetFaults();
      await t.control.setFaults({
        answers: { rules: [{ fault: 'error-before', rate: 0.3, path: '/v1/orders' }] },
        seed: 42,
      });
      const statuses: number[] = [];
      for (let n = 0; n < 60; n += 1) statuses.push((await create(`seed-${n}`)).status);
      return statuses;
    };
    const first = await hits();
    expect(first.filter((status) => status === 502).length).toBeGreaterThan(5);
    expect(first.filter((status) => status === 200).length).toBeGreaterThan(25);
    expect(await hits()).toEqual(first);
  });

  test('who does not show the secret is refused before any fault', async () => {
    await setRules({ fault: 'error-before' });
    const unsigned = await fetch(`${t.sandbox.url}/v1/orders`);
    expect(unsigned.status).toBe(401);
  });
});

describe('webhooks', () => {
  test('faults apply to the named events only', async () => {
    await t.control.setFaults({
      webhooks: { events: ['payment.captured'], copies: 3, secret: 'another-secret' },
    });
    await t.newPayment();
    await t.control.settled();
    const counts = Object.groupBy(t.receiver.received, ({ event }) => event);
    expect(counts['payment.authorized']).toHaveLength(1);
    expect(counts['order.paid']).toHaveLength(1);
    expect(counts['payment.captured']).toHaveLength(3);
    for (const { raw, signature, event } of t.receiver.received) {
      const secret = event === 'payment.captured' ? 'another-secret' : testWebhookSecret;
      expect(signature).toBe(signed(raw, secret));
    }
    await expect(
      t.control.setFaults({ webhooks: { events: ['payment.unknown' as 'order.paid'] } }),
    ).rejects.toThrow(/400/);
  });

  test('extra copies come at random, within their bound', async () => {
    await t.control.setFaults({ webhooks: { extraCopies: 4 }, seed: 3 });
    for (let n = 0; n < 10; n += 1) await t.newPayment();
    await t.control.settled();
    const byEvent = Object.values(Object.groupBy(t.receiver.received, ({ eventId }) => eventId));
    const copies = byEvent.map((deliveries) => deliveries?.length ?? 0);
    expect(copies).toHaveLength(30);
    expect(new Set(copies)).toEqual(new Set([1, 2, 3, 4, 5]));
  });

  test('held, nothing is delivered by itself, neither then nor afterwards', async () => {
    await t.control.setFaults({ webhooks: { mode: 'manual' } });
    const payment = await t.newPayment();
    await t.control.setFaults({ webhooks: { mode: 'auto' } });
    await t.control.settled();
    expect(t.receiver.received).toEqual([]);
    const events = await t.control.events(payment.id);
    expect(events.map(({ deliveries }) => deliveries)).toEqual([[], [], []]);
    await t.control.deliver(events[2]?.id ?? '', 2);
    await t.control.settled();
    expect(t.receiver.received.map(({ event }) => event)).toEqual(['order.paid', 'order.paid']);
  });

  test('six events come in each of their 720 orders, as they are told to', async () => {
    await t.control.setFaults({ webhooks: { mode: 'manual' } });
    const order = await t.newOrder();
    const { payment } = await t.control.pay(order.id, { outcome: 'failure' });
    await t.control.authorizeLate(payment.id);
    await t.razorpay.payments.refund(payment.id, {});
    await t.control.settled();
    const ids = (await t.control.events(order.id)).map(({ id }) => id);
    expect(ids).toHaveLength(6);
    // An event is delivered a hundred times at most: other payments have events as good.
    const orders = permutations([0, 1, 2, 3, 4, 5]);
    expect(orders).toHaveLength(720);
    for (const [n, places] of orders.entries()) {
      if (n % 90 === 89) await replaceEvents(ids);
      t.receiver.received.length = 0;
      const wanted = places.map((place) => ids[place] ?? '');
      expect(await t.control.deliverInOrder(wanted)).toEqual(Array(6).fill(200));
      expect(t.receiver.received.map(({ eventId }) => eventId)).toEqual(wanted);
    }
  });

  async function replaceEvents(ids: string[]): Promise<void> {
    const order = await t.newOrder();
    const { payment } = await t.control.pay(order.id, { outcome: 'failure' });
    await t.control.authorizeLate(payment.id);
    await t.razorpay.payments.refund(payment.id, {});
    await t.control.settled();
    ids.splice(0, 6, ...(await t.control.events(order.id)).map(({ id }) => id));
  }

  test('a delivery in order is tried once, and says what was answered', async () => {
    await t.control.setFaults({ webhooks: { mode: 'manual' } });
    const payment = await t.newPayment();
    const ids = (await t.control.events(payment.id)).map(({ id }) => id);
    t.receiver.answerWith(({ event }) => (event === 'payment.captured' ? 503 : 204));
    expect(await t.control.deliverInOrder(ids)).toEqual([204, 503, 204]);
    t.receiver.answerWith(() => 200);
    await t.control.settled();
    expect(t.receiver.received).toHaveLength(3);
    const [, refused] = await t.control.events(payment.id);
    expect(refused?.deliveries).toMatchObject([{ state: 'refused', lastStatus: 503 }]);
    await expect(t.control.deliverInOrder(['nothing'])).rejects.toThrow(/no event/);
  });
});

test('a fault that does not exist is refused, and changes nothing', async () => {
  await t.control.setFaults({ refunds: { failRate: 0.5 } });
  for (const body of [
    { answers: { rules: [{ fault: 'explode' }] } },
    { payouts: { failRate: 2 } },
    { refund: { failRate: 1 } },
  ]) {
    const answer = await fetch(`${t.sandbox.url}/sandbox/faults`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${t.options.keyId}:${t.options.keySecret}`)}` },
      body: JSON.stringify(body),
    });
    expect(answer.status, JSON.stringify(body)).toBe(400);
  }
  expect(await t.control.setFaults({})).toMatchObject({
    refunds: { failRate: 0.5 },
    payouts: { failRate: 0 },
    answers: { rules: [] },
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]),
  );
}
