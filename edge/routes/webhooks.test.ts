// Webhooks: whose they are, that each is applied once whatever the order, and what becomes of those that do not fit.
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readBalance, verifyBooks } from '#db';
import {
  newAddress,
  newKey,
  payoutWebhookSecret,
  startTestEdge,
  type TestEdge,
  webhookSecret,
} from '../../testing/edge.ts';
import { type Cast, createCast, refused } from '../testing/cast.ts';

const oldSecret = 'the-secret-before-the-rotation';
const paths = {
  razorpay: ['/v1/payments/webhooks/razorpay', webhookSecret],
  razorpayx: ['/v1/payments/webhooks/razorpayx', payoutWebhookSecret],
} as const;

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge({ RAZORPAY_WEBHOOK_SECRET: `${webhookSecret},${oldSecret}` });
  cast = createCast(edge);
});
afterEach(() => edge.control.resetFaults());
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

const balanceOf = (who: { id: string }) => readBalance(edge.database.db, who.id);

const sign = (body: string, secret: string) =>
  createHmac('sha256', secret).update(body).digest('hex');

/** Posts a body as the gateway does; null leaves a header out. */
function post(
  body: string,
  headers: Record<string, string | null> = {},
  to: keyof typeof paths = 'razorpay',
) {
  const [path, secret] = paths[to];
  const all = {
    'x-razorpay-signature': sign(body, secret),
    'x-razorpay-event-id': newKey(),
    ...headers,
  };
  const given = Object.entries(all).filter(
    (header): header is [string, string] => header[1] !== null,
  );
  return edge.call('POST', path, { body, headers: Object.fromEntries(given) });
}

const bodyOf = (event: string, payload: object) =>
  JSON.stringify({
    entity: 'event',
    event,
    payload: Object.fromEntries(
      Object.entries(payload).map(([name, entity]) => [name, { entity }]),
    ),
  });

const paymentOf = (
  order: { gatewayOrderId: string; amountPaise: number },
  changes: object = {},
) => ({
  id: cast.unique('pay'),
  order_id: order.gatewayOrderId,
  amount: order.amountPaise,
  currency: 'INR',
  status: 'captured',
  captured: true,
  method: 'upi',
  ...changes,
});

const suspicionsSince = async (id: number) =>
  (
    await edge.database.asOwner<{ action: string }>(
      `select action from audit_log where id > $1 and action like 'suspicion.webhook%' order by id`,
      [id],
    )
  ).map(({ action }) => action);
const lastAudit = async () =>
  Number(
    (
      await edge.database.asOwner<{ id: string }>(
        'select coalesce(max(id), 0) as id from audit_log',
      )
    )[0]?.id,
  );

describe('whose they are', () => {
  test('without a signature, with a wrong one, or with one byte changed: refused, and noted', async () => {
    const order = await cast.order(await cast.member());
    const body = bodyOf('payment.captured', { payment: paymentOf(order) });
    const since = await lastAudit();
    const good = sign(body, webhookSecret);
    const forged: [string, Record<string, string | null>][] = [
      [body, { 'x-razorpay-signature': null }],
      [body, { 'x-razorpay-signature': '' }],
      [body, { 'x-razorpay-signature': 'f'.repeat(64) }],
      [body, { 'x-razorpay-signature': good.toUpperCase() }],
      [body, { 'x-razorpay-signature': `${good}00` }],
      [body, { 'x-razorpay-signature': sign(body, payoutWebhookSecret) }],
      [body.replace('"amount":5900', '"amount":5901'), { 'x-razorpay-signature': good }],
      [` ${body}`, { 'x-razorpay-signature': good }],
      [body.replace('captured', 'c\\u0061ptured'), { 'x-razorpay-signature': good }],
    ];
    for (const [text, headers] of forged) {
      const answer = await post(text, headers);
      expect(refused(answer), JSON.stringify(headers)).toEqual([400, 'invalid-signature']);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    }
    expect(await suspicionsSince(since)).toEqual(
      forged.map(() => 'suspicion.webhook.forged-signature'),
    );
    expect((await post(body)).body).toEqual({ received: true, applied: true, refusal: null });
  });

  test('strangers who forge without end fill no audit trail', async () => {
    const since = await lastAudit();
    const address = { 'x-razorpay-signature': 'a'.repeat(64), 'x-test-address': newAddress() };
    const answers = await Promise.all(Array.from({ length: 30 }, () => post('{}', address)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
    expect(await suspicionsSince(since)).toHaveLength(20);
  });

  test('during a rotation the old secret is as good as the new one; elsewhere and before it is not', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const body = bodyOf('payment.captured', { payment: paymentOf(order) });
    const old = { 'x-razorpay-signature': sign(body, oldSecret) };
    expect(refused(await post(body, old, 'razorpayx'))).toEqual([400, 'invalid-signature']);
    expect((await post(body, old)).status).toBe(200);
    expect(await balanceOf(buyer)).toBe(order.tokens);
    const older = { 'x-razorpay-signature': sign(body, 'an-even-older-secret') };
    expect(refused(await post(body, older))).toEqual([400, 'invalid-signature']);
  });

  test('the sandbox signs retries with the old secret, and they are credited', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    await edge.control.setFaults({ webhooks: { secret: oldSecret } });
    await edge.control.pay(order.gatewayOrderId);
    await edge.control.settled();
    expect(await balanceOf(buyer)).toBe(order.tokens);
  });

  test('signed, but not what was promised: malformed, or without its event’s id', async () => {
    for (const body of ['', 'not json', '[]', '{}', '{"event": 5}']) {
      expect(refused(await post(body)), body).toEqual([400, 'malformed-body']);
    }
    const body = bodyOf('payment.captured', {});
    expect(refused(await post(body, { 'x-razorpay-event-id': null }))).toEqual([
      400,
      'malformed-body',
    ]);
    const [path] = paths.razorpay;
    const bytes = Buffer.from([0xff, 0xfe, 0x7b, 0x7d]);
    const answer = await fetch(edge.url + path, {
      method: 'POST',
      body: bytes,
      headers: {
        'content-type': 'application/json',
        'x-razorpay-event-id': newKey(),
        'x-razorpay-signature': createHmac('sha256', webhookSecret).update(bytes).digest('hex'),
      },
    });
    expect(answer.status).toBe(400);
  });
});

describe('what does not fit', () => {
  test('an unknown event is taken, not applied, and a case of its kind', async () => {
    const type = `invoice.${cast.unique('x')}`;
    const answers = [await post(bodyOf(type, {})), await post(bodyOf(type, {}))];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ received: true, applied: false, refusal: 'unknown-event' });
    }
    expect(await cast.cases(type)).toEqual(['webhook-refused']);
  });

  test('events that are read elsewhere are taken and change nothing', async () => {
    for (const event of ['settlement.processed', 'payment.downtime.started']) {
      expect((await post(bodyOf(event, {}))).body, event).toMatchObject({ applied: true });
    }
  });

  test('another amount or currency than the order’s: taken, not applied, a case and a suspicion', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    for (const change of [
      { amount: order.amountPaise - 1 },
      { amount: order.amountPaise + 1 },
      { currency: 'USD' },
    ]) {
      const since = await lastAudit();
      const payment = paymentOf(order, change);
      const eventId = newKey();
      const answer = await post(bodyOf('payment.captured', { payment }), {
        'x-razorpay-event-id': eventId,
      });
      expect(answer.status, JSON.stringify(change)).toBe(200);
      expect(answer.body).toMatchObject({ applied: false, refusal: 'payment-mismatch' });
      expect(await cast.cases(payment.id)).toEqual(['payment-mismatch']);
      expect(await cast.cases(eventId)).toEqual(['webhook-refused']);
      expect(await suspicionsSince(since)).toEqual(['suspicion.webhook.payment-mismatch']);
    }
    expect(await balanceOf(buyer)).toBe(0);
    const body = bodyOf('payment.captured', { payment: paymentOf(order, { amount: -5 }) });
    expect((await post(body)).body).toMatchObject({ applied: false, refusal: 'malformed-body' });
  });

  test('a payment that is told of for another order than before is refused', async () => {
    const buyer = await cast.member();
    const [one, two] = [await cast.order(buyer), await cast.order(buyer)];
    const payment = paymentOf(one);
    await post(bodyOf('payment.captured', { payment }));
    const moved = { ...payment, order_id: two.gatewayOrderId };
    expect((await post(bodyOf('payment.captured', { payment: moved }))).body.refusal).toBe(
      'payment-mismatch',
    );
    expect(await balanceOf(buyer)).toBe(one.tokens);
  });

  test('refunds, disputes and payouts in other money, or of another payment, are refused', async () => {
    const fan = await cast.fan();
    const entity = {
      id: 'x_1',
      payment_id: fan.gatewayPaymentId,
      amount: 5_900,
      currency: 'USD',
      created_at: 1,
    };
    const refund = { ...entity, status: 'processed', notes: [] };
    const dispute = {
      ...entity,
      amount_deducted: 0,
      reason_code: 'x',
      status: 'lost',
      phase: 'fraud',
    };
    const payout = {
      ...entity,
      fund_account_id: 'fa_1',
      status: 'processed',
      mode: 'UPI',
      notes: [],
    };
    const refusals = [
      await post(bodyOf('refund.processed', { refund })),
      await post(bodyOf('payment.dispute.lost', { dispute })),
      await post(bodyOf('payout.processed', { payout }), {}, 'razorpayx'),
      await post(
        bodyOf('refund.processed', {
          refund: { ...refund, currency: 'INR' },
          payment: {
            id: 'pay_other',
            order_id: null,
            amount: 1,
            currency: 'INR',
            status: 'captured',
          },
        }),
      ),
    ];
    for (const answer of refusals) {
      expect(answer.body).toEqual({ received: true, applied: false, refusal: 'payment-mismatch' });
    }
    expect(await balanceOf(fan)).toBe(50);
  });

  test('what is refused is taken up when it comes again', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    await edge.database.asOwner('update orders set gateway_order_id = null where id = $1', [
      order.id,
    ]);
    const body = bodyOf('payment.captured', { payment: paymentOf(order) });
    const again = { 'x-razorpay-event-id': newKey() };
    expect((await post(body, again)).body.refusal).toBe('not-found');
    await edge.database.asOwner('update orders set gateway_order_id = $2 where id = $1', [
      order.id,
      order.gatewayOrderId,
    ]);
    expect((await post(body, again)).body).toMatchObject({ applied: true });
    expect(await balanceOf(buyer)).toBe(order.tokens);
    // And what was applied is not applied again.
    expect((await post(body, again)).body).toMatchObject({ applied: true });
    expect(await balanceOf(buyer)).toBe(order.tokens);
  });

  test('while the gateway cannot be asked an authorised payment is not taken, and comes again', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    await edge.control.setFaults({
      webhooks: { mode: 'manual' },
      answers: { rules: [{ fault: 'error-before', path: '/capture', times: 1 }] },
    });
    const { payment } = await edge.control.pay(order.gatewayOrderId);
    const body = bodyOf('payment.authorized', {
      payment: { ...payment, status: 'authorized', captured: false },
    });
    const again = { 'x-razorpay-event-id': newKey() };
    expect(refused(await post(body, again))).toEqual([503, 'gateway-unavailable']);
    expect((await post(body, again)).body).toMatchObject({ applied: true });
    expect(await balanceOf(buyer)).toBe(order.tokens);
  });

  test('an authorised payment that the gateway knows nothing of stays authorised', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const payment = paymentOf(order, { status: 'authorized', captured: false });
    expect((await post(bodyOf('payment.authorized', { payment }))).body).toMatchObject({
      applied: true,
    });
    expect(await balanceOf(buyer)).toBe(0);
  });

  test('nothing is kept that says who paid, or to whom, only what it says of money', async () => {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const secret = (name: string) => `${name}-of-somebody`;
    const card = {
      id: secret('card'),
      last4: secret('last4'),
      name: secret('name'),
      network: 'Visa',
    };
    const person = {
      email: secret('email'),
      contact: secret('contact'),
      vpa: secret('vpa'),
      card,
      card_id: card.id,
      bank_account: { account_number: secret('account'), ifsc: 'HDFC0000053' },
      acquirer_data: { rrn: secret('rrn') },
      notes: { address: secret('address') },
      description: secret('description'),
      error_description: secret('error'),
    };
    const payment = paymentOf(order, person);
    const money = { amount: 5_900, currency: 'INR', created_at: 1_767_225_600, ...person };
    const refund = { id: newKey(), payment_id: payment.id, status: 'pending', ...money };
    const payout = {
      id: newKey(),
      fund_account_id: 'fa_1',
      fund_account: { contact: person },
      status: 'processing',
      mode: 'UPI',
      status_details: { description: secret('details') },
      ...money,
    };
    await post(bodyOf('payment.captured', { payment, account: person }));
    await post(bodyOf('refund.created', { refund, payment }));
    await post(bodyOf('payout.initiated', { payout }), {}, 'razorpayx');
    await post(bodyOf('fund_account.validation.completed', { fund_account: person }));
    await post(bodyOf('transaction.created', { transaction: person }), {}, 'razorpayx');
    // Where a number is expected, and a name comes.
    await post(bodyOf('payment.failed', { payment: { ...payment, amount: person, fee: person } }));

    const rows = await edge.database.asOwner<{ type: string; body: string }>(
      'select type, body from webhook_events',
    );
    for (const { type, body } of rows) expect(body, type).not.toContain('of-somebody');
    const kept = (type: string) =>
      rows.filter((row) => row.type === type).map(({ body }) => JSON.parse(body || 'null'));
    expect(kept('payment.captured')).toContainEqual({
      payment: {
        entity: {
          id: payment.id,
          order_id: order.gatewayOrderId,
          amount: 5_900,
          currency: 'INR',
          status: 'captured',
          captured: true,
          method: 'upi',
        },
      },
    });
    expect(kept('refund.created')).toContainEqual(
      expect.objectContaining({
        payment: { entity: expect.objectContaining({ id: payment.id }) },
        refund: { entity: expect.objectContaining({ id: refund.id, payment_id: payment.id }) },
      }),
    );
    expect(kept('payout.initiated')).toContainEqual({
      payout: { entity: expect.objectContaining({ id: payout.id, amount: 5_900, mode: 'UPI' }) },
    });
    expect(new Set(kept('fund_account.validation.completed'))).toEqual(new Set([null]));
    expect(new Set(kept('transaction.created'))).toEqual(new Set([null]));
  });
});

describe('in any order', () => {
  /** Six events of one payment at the sandbox, held back. */
  async function refundedLife() {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const { payment } = await edge.control.pay(order.gatewayOrderId, { outcome: 'failure' });
    await edge.control.authorizeLate(payment.id);
    await fetch(`${edge.sandbox.url}/v1/payments/${payment.id}/refund`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('rzp_test_key:test-gateway-secret')}` },
    });
    return { buyer, order, payment };
  }

  /** Six other ones: captured, and then lost to the buyer's bank. */
  async function disputedLife() {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const { payment } = await edge.control.pay(order.gatewayOrderId);
    const dispute = await edge.control.openDispute(payment.id);
    await edge.control.stepDispute(dispute.id, 'under_review');
    await edge.control.stepDispute(dispute.id, 'lost');
    return { buyer, order, payment };
  }

  async function endOf({ buyer, order, payment }: Awaited<ReturnType<typeof disputedLife>>) {
    const [row] = await edge.database.asOwner(
      `select o.state as order_state, p.state as payment_state, p.refunded_paise,
          (select count(*)::int from ledger.journal where idempotency_key = 'purchase:' || $2) as credits,
          (select array_agg(r.state || ':' || r.tokens || ':' || r.amount_paise) from refunds r
            where r.gateway_payment_id = $2) as refunds,
          (select array_agg(d.state || ':' || d.recovered_paise || ':' || d.lost_paise) from disputes d
            where d.gateway_payment_id = $2) as disputes
        from orders o join payments p on p.order_id = o.id where o.id = $1`,
      [order.id, payment.id],
    );
    return { ...row, balance: await balanceOf(buyer) };
  }

  const lives = [
    [
      'failed, authorised late, captured and refunded',
      refundedLife,
      [
        'payment.failed',
        'payment.authorized',
        'payment.captured',
        'order.paid',
        'refund.created',
        'refund.processed',
      ],
      { refunded_paise: '5900', refunds: ['processed:50:5900'], disputes: null },
    ],
    [
      'captured, disputed and lost',
      disputedLife,
      [
        'payment.authorized',
        'payment.captured',
        'order.paid',
        'payment.dispute.created',
        'payment.dispute.under_review',
        'payment.dispute.lost',
      ],
      { refunded_paise: '0', refunds: null, disputes: ['lost:5900:0'] },
    ],
  ] as const;

  test.each(lives)(
    'all 720 orders of a payment’s life (%s) end the same, with one credit',
    async (_, live, names, end) => {
      await edge.control.setFaults({ webhooks: { mode: 'manual' } });
      const orders = permutations([0, 1, 2, 3, 4, 5]).values();
      const ends: unknown[] = [];
      const deliverAll = async () => {
        for (const places of orders) {
          const life = await live();
          await edge.control.settled();
          const events = await edge.control.events(life.order.gatewayOrderId);
          expect(events.map(({ name }) => name)).toEqual(names);
          const ids = places.map((place) => events[place]?.id ?? '');
          expect(await edge.control.deliverInOrder(ids)).toEqual(Array(6).fill(200));
          ends.push(await endOf(life));
        }
      };
      await Promise.all(Array.from({ length: 8 }, deliverAll));
      expect(ends).toHaveLength(720);
      const expected = {
        order_state: 'paid',
        payment_state: 'captured',
        credits: 1,
        balance: 0,
        ...end,
      };
      for (const one of ends) expect(one).toEqual(expected);
    },
    240_000,
  );

  test('nothing in any order was left for staff to sort out, but what staff must see', async () => {
    const rows = await edge.database.asOwner<{ kind: string }>(
      `select distinct kind from cases where details->>'gatewayPaymentId' in
        (select gateway_payment_id from refunds union select gateway_payment_id from disputes)`,
    );
    expect(rows.map(({ kind }) => kind).sort()).toEqual(['dispute', 'refund-made-at-gateway']);
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]),
  );
}
