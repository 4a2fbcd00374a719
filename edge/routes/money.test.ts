// Money over HTTP: buying through the sandbox, tipping, and every refusal on the way.
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyBooks } from '#db';
import {
  newKey,
  type Person,
  startTestEdge,
  type TestEdge,
  webhookSecret,
} from '../../testing/edge.ts';
import { reconcileOrders } from '../jobs/reconcile.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(async () => {
  await edge.close();
});

const balanceOf = async (person: Person) =>
  (await person.call('GET', '/v1/wallet')).body.balanceTokens;

function tip(person: Person, streamId: string, changes: object = {}, key = newKey()) {
  return person.call('POST', '/v1/tips', {
    body: { streamId, amountTokens: 5, message: 'lovely', ...changes },
    headers: { 'idempotency-key': key },
  });
}

async function order(person: Person) {
  const { body } = await edge.call('GET', '/v1/payments/packages');
  const answer = await person.call('POST', '/v1/payments/orders', {
    body: { packageId: body.packages[0].id },
    headers: { 'idempotency-key': newKey() },
  });
  expect(answer.status).toBe(201);
  return answer.body;
}

function webhook(body: string, headers: Record<string, string> = {}) {
  return edge.call('POST', '/v1/payments/webhooks/razorpay', {
    body,
    headers: {
      'x-razorpay-signature': createHmac('sha256', webhookSecret).update(body).digest('hex'),
      'x-razorpay-event-id': newKey(),
      ...headers,
    },
  });
}

describe('buying tokens', () => {
  test('the page’s verification and three deliveries of each webhook credit once', async () => {
    await edge.controlSandbox('POST', '/faults', { webhooks: { copies: 3 } });
    const viewer = await edge.register();
    const made = await order(viewer);
    const paid = await edge.controlSandbox('POST', `/orders/${made.gatewayOrderId}/pay`, {});
    const { receipt } = paid.body;
    const verify = () =>
      viewer.call('POST', '/v1/payments/verify', {
        body: {
          gatewayOrderId: receipt.razorpay_order_id,
          gatewayPaymentId: receipt.razorpay_payment_id,
          signature: receipt.razorpay_signature,
        },
      });
    const answers = await Promise.all([verify(), verify()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await edge.controlSandbox('GET', '/settled')).body.settled).toBe(true);
    expect(await balanceOf(viewer)).toBe(made.tokens);
    const [seen] = await edge.database.asOwner<{ most: number }>(
      'select max(deliveries) as most from webhook_events',
    );
    expect(seen?.most).toBe(3);
    await edge.controlSandbox('DELETE', '/faults');
  });

  test('an order key that is sent twice makes one order', async () => {
    const viewer = await edge.register();
    const { body } = await edge.call('GET', '/v1/payments/packages');
    const headers = { 'idempotency-key': newKey() };
    const send = (index: number) =>
      viewer.call('POST', '/v1/payments/orders', {
        body: { packageId: body.packages[index].id },
        headers,
      });
    const [first, second] = [await send(0), await send(0)];
    expect(second.body).toEqual(first.body);
    expect((await send(1)).body.code).toBe('idempotency-key-reused');
  });

  test('a forged signature, or the payment of somebody else, credits nothing', async () => {
    const [viewer, thief] = [await edge.register(), await edge.register()];
    const made = await order(viewer);
    await edge.controlSandbox('POST', '/faults', { webhooks: { dropRate: 1 } });
    const paid = await edge.controlSandbox('POST', `/orders/${made.gatewayOrderId}/pay`, {});
    const body = {
      gatewayOrderId: paid.body.receipt.razorpay_order_id,
      gatewayPaymentId: paid.body.receipt.razorpay_payment_id,
      signature: paid.body.receipt.razorpay_signature,
    };
    const forged = {
      ...body,
      signature: body.signature.replace(/^./, (c: string) => (c === '0' ? '1' : '0')),
    };
    const answer = await viewer.call('POST', '/v1/payments/verify', { body: forged });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-signature']);
    const stolen = await thief.call('POST', '/v1/payments/verify', { body });
    expect([stolen.status, stolen.body.code]).toEqual([404, 'not-found']);
    expect([await balanceOf(viewer), await balanceOf(thief)]).toEqual([0, 0]);
    await edge.controlSandbox('DELETE', '/faults');
  });

  test('a webhook with a wrong signature, or with one byte changed, is refused', async () => {
    const body = JSON.stringify({ event: 'payment.captured', payload: {} });
    const wrong = await webhook(body, { 'x-razorpay-signature': 'f'.repeat(64) });
    expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid-signature']);
    const signature = createHmac('sha256', webhookSecret).update(body).digest('hex');
    const changed = await webhook(body.replace('captured', 'Captured'), {
      'x-razorpay-signature': signature,
    });
    expect(changed.status).toBe(400);
    expect((await webhook('not json')).body.code).toBe('malformed-body');
  });

  test('a webhook for an unknown order is kept, not applied, and answered with 200', async () => {
    const entity = {
      id: 'pay_unknown',
      order_id: 'order_unknown',
      amount: 100,
      currency: 'INR',
      status: 'captured',
    };
    const answer = await webhook(
      JSON.stringify({ event: 'payment.captured', payload: { payment: { entity } } }),
    );
    expect(answer.status).toBe(200);
    const rows = await edge.database.asOwner(
      `select processed_at from webhook_events where body like '%pay_unknown%'`,
    );
    expect(rows).toEqual([{ processed_at: null }]);
  });

  test('a payment whose webhooks were all lost is credited by the reconciler, once', async () => {
    const viewer = await edge.register();
    const made = await order(viewer);
    await edge.controlSandbox('POST', '/faults', { webhooks: { dropRate: 1 } });
    await edge.controlSandbox('POST', `/orders/${made.gatewayOrderId}/pay`, {});
    // One that the gateway does not know stands before it, and sixty that were never paid.
    const stranger = await edge.register();
    for (let index = 0; index < 61; index += 1) {
      await edge.database.asOwner(
        `insert into orders (user_id, package_id, tokens, amount_paise, gst_paise, idempotency_key,
            gateway_order_id, check_at)
          select $1, id, tokens, price_paise, gst_paise, $2, $2, now() - interval '1 hour'
            from packages order by tokens limit 1`,
        [stranger.session.user.id, `order_lost_${index}`],
      );
    }
    await edge.database.asOwner(
      `update orders set check_at = now() - interval '1 minute' where id = $1`,
      [made.id],
    );
    const round = await reconcileOrders(edge.parts.deps);
    expect(round).toMatchObject({ credited: 1, failed: 61 });
    await reconcileOrders(edge.parts.deps);
    expect(await balanceOf(viewer)).toBe(made.tokens);
    await edge.controlSandbox('DELETE', '/faults');
  });
});

describe('tipping', () => {
  test('a tip is taken from the wallet, shows in the earnings, and its receipt is repeated for its key', async () => {
    const { performer, streamId } = await edge.goLive();
    const viewer = await edge.register();
    const { tokens } = await edge.buyTokens(viewer);
    const key = newKey();
    const receipt = await tip(viewer, streamId, { amountTokens: 12 }, key);
    expect(receipt.status).toBe(201);
    expect(receipt.body).toMatchObject({ balanceTokens: tokens - 12, replayed: false });
    const repeated = await tip(viewer, streamId, { amountTokens: 12 }, key);
    expect(repeated.body).toEqual({ ...receipt.body, replayed: true });
    const earnings = await performer.call('GET', '/v1/earnings');
    expect(earnings.body).toMatchObject({ pendingPaise: 600, tokensReceived: 12 });
    const history = await viewer.call('GET', '/v1/wallet/transactions');
    expect(
      history.body.transactions.map((row: { amountTokens: number }) => row.amountTokens),
    ).toEqual([-12, tokens]);
  });

  test('an anonymous tip names nobody in the room', async () => {
    const { streamId } = await edge.goLive();
    const viewer = await edge.register();
    await edge.buyTokens(viewer);
    await tip(viewer, streamId, { anonymous: true });
    const { body } = await viewer.call('GET', `/v1/streams/${streamId}/events`);
    const event = body.events.at(-1);
    expect(event).toMatchObject({ type: 'tip.received', data: { username: null, userId: null } });
    expect(JSON.stringify(event)).not.toContain(viewer.session.user.username);
  });

  test('every bad tip has its own refusal and takes nothing', async () => {
    const { performer, streamId } = await edge.goLive();
    const viewer = await edge.register();
    const { tokens } = await edge.buyTokens(viewer);
    const unknown = '01980000-0000-7000-8000-000000000000';
    const refusals: [object, number, string][] = [
      [{ amountTokens: 1.5 }, 422, 'invalid-request'],
      [{ amountTokens: -5 }, 422, 'invalid-request'],
      [{ amountTokens: 0 }, 422, 'invalid-request'],
      [{ amountTokens: '5' }, 422, 'invalid-request'],
      [{ amountTokens: 10_001 }, 422, 'invalid-request'],
      [{ amountTokens: null }, 422, 'invalid-request'],
      [{ streamId: 'nonsense' }, 422, 'invalid-request'],
      [{ message: 'x'.repeat(201) }, 422, 'invalid-request'],
      [{ message: 'a\u0000b' }, 422, 'invalid-request'],
      [{ message: '\ud800' }, 422, 'invalid-request'],
      [{ extra: true }, 422, 'invalid-request'],
      [{ amountTokens: tokens + 1 }, 409, 'insufficient-balance'],
      [{ streamId: unknown }, 404, 'not-found'],
    ];
    for (const [changes, status, code] of refusals) {
      const answer = await tip(viewer, streamId, changes);
      expect([answer.status, answer.body.code], JSON.stringify(changes)).toEqual([status, code]);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    }
    expect((await tip(performer, streamId)).body.code).toBe('self-tip');
    const key = newKey();
    await tip(viewer, streamId, { amountTokens: 1 }, key);
    const reused = await tip(viewer, streamId, { amountTokens: 2 }, key);
    expect([reused.status, reused.body.code]).toEqual([409, 'idempotency-key-reused']);
    // What an honest client of ours does not do is written down; a wallet that is too small is no crime.
    const smells = await edge.database.asOwner(
      `select actor_id, action from audit_log where action like 'suspicion.tip%' order by id`,
    );
    expect(smells).toEqual([
      { actor_id: performer.session.user.id, action: 'suspicion.tip.self-tip' },
      { actor_id: viewer.session.user.id, action: 'suspicion.tip.idempotency-key-reused' },
    ]);
    const keyless = await viewer.call('POST', '/v1/tips', { body: { streamId, amountTokens: 1 } });
    expect(keyless.body.code).toBe('missing-idempotency-key');
    await performer.call('POST', `/v1/streams/${streamId}/end`);
    expect((await tip(viewer, streamId)).body.code).toBe('stream-not-live');
    expect(await balanceOf(viewer)).toBe(tokens - 1);
  });

  test('tips sent all at once never take more than there is', async () => {
    const { streamId } = await edge.goLive();
    const viewer = await edge.register();
    const { tokens } = await edge.buyTokens(viewer);
    const answers = await Promise.all(
      Array.from({ length: 14 }, () => tip(viewer, streamId, { amountTokens: 5 })),
    );
    const taken = answers.filter(({ status }) => status === 201).length;
    expect(taken).toBe(Math.floor(tokens / 5));
    expect(await balanceOf(viewer)).toBe(tokens - taken * 5);
  });
});

describe('staff', () => {
  test('only an admin reads the trial balance, and it balances after all of this', async () => {
    const viewer = await edge.register();
    expect((await viewer.call('GET', '/v1/admin/trial-balance')).status).toBe(403);
    const admin = await edge.register('admin');
    const { body } = await admin.call('GET', '/v1/admin/trial-balance');
    expect(body.balanced).toBe(true);
    for (const currency of ['TOKEN', 'INR']) {
      const rows = body.rows.filter((row: { currency: string }) => row.currency === currency);
      const sum = (side: 'debit' | 'credit') =>
        rows.reduce((total: number, row: Record<string, number>) => total + (row[side] ?? 0), 0);
      expect(sum('debit')).toBe(sum('credit'));
    }
    expect(await verifyBooks(edge.database.db)).toEqual([]);
  });
});
