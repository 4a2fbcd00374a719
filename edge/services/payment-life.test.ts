// The life of a payment: what went back of it at the gateway is noticed by whoever hears of it, with all webhooks lost.
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { balanceAt, readBalance, verifyBooks } from '#db';
import {
  gatewayKeyId,
  gatewayKeySecret,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { followDisputes } from '../jobs/disputes.ts';
import { reconcileOrders } from '../jobs/reconcile.ts';
import { sendRefunds } from '../jobs/refunds.ts';
import { reconcileSettlements } from '../jobs/settlements.ts';
import { type Cast, createCast, type Member } from '../testing/cast.ts';
import type { GatewayPayment, PaymentGateway } from './gateway.ts';
import { GatewayRefusal, unavailable } from './gateway-answer.ts';
import { takePayment } from './payment-life.ts';
import { takeEntity } from './settled-entity.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
beforeEach(async () => {
  await edge.control.resetFaults();
  await edge.control.setFaults({ webhooks: { mode: 'manual' } });
});
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

const balanceOf = (who: Member) => readBalance(edge.database.db, who.id);
const clearing = () =>
  balanceAt(edge.database.db, {
    class: 'gateway_clearing',
    ownerId: null,
    at: new Date(Date.now() + 60_000),
  });

/** Paid at the gateway, of which nobody here has heard. */
async function paid() {
  const buyer = await cast.member();
  const { gatewayOrderId } = await cast.order(buyer);
  const { payment } = await edge.control.pay(gatewayOrderId);
  return { buyer, gatewayOrderId, paymentId: payment.id };
}

/** One that the gateway does not capture by itself. */
async function authorized() {
  const buyer = await cast.member();
  const order = await cast.order(buyer);
  const gatewayOrderId = await atGateway('/orders', {
    amount: order.amountPaise,
    currency: 'INR',
    payment_capture: 0,
  });
  await edge.database.asOwner('update orders set gateway_order_id = $2 where id = $1', [
    order.id,
    gatewayOrderId,
  ]);
  const { payment } = await edge.control.pay(gatewayOrderId);
  return { buyer, payment: await shown(payment.id) };
}

/** Somebody gives money back at the gateway; of 50 tokens, unless it is a part. */
async function giveBack(paymentId: string, amount?: number): Promise<string> {
  const id = await atGateway(`/payments/${paymentId}/refund`, amount ? { amount } : undefined);
  await edge.control.settled();
  return id;
}

/** Somebody does something at the gateway itself. Answers the id of what it made. */
async function atGateway(path: string, body?: object): Promise<string> {
  const answer = await fetch(`${edge.sandbox.url}/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${gatewayKeyId}:${gatewayKeySecret}`)}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return ((await answer.json()) as { id: string }).id;
}

async function reconcile() {
  await edge.database.asOwner(
    `update orders set check_at = now() - interval '1 second' where state <> 'paid'`,
  );
  return reconcileOrders(edge.parts.deps);
}

/** The gateway, but for what a test makes of it. */
const withGateway = (changes: Partial<PaymentGateway>) => ({
  ...edge.parts.deps,
  gateway: { ...edge.parts.deps.gateway, ...changes },
});

async function shown(paymentId: string): Promise<GatewayPayment> {
  const payment = await edge.parts.deps.gateway.fetchPayment(paymentId);
  if (!payment) throw new Error('no payment');
  return payment;
}

const refuses = () =>
  Promise.reject(new GatewayRefusal(400, { description: 'no', reason: null, field: null }));

const verify = (who: Member, gatewayOrderId: string, gatewayPaymentId: string) =>
  who.call('POST', '/v1/payments/verify', {
    body: {
      gatewayOrderId,
      gatewayPaymentId,
      signature: createHmac('sha256', gatewayKeySecret)
        .update(`${gatewayOrderId}|${gatewayPaymentId}`)
        .digest('hex'),
    },
  });

const refundsOf = (who: Member) =>
  edge.database.asOwner<{ state: string; tokens: string; amount_paise: string }>(
    'select state, tokens, amount_paise from refunds where user_id = $1 order by created_at, tokens',
    [who.id],
  );

test('the reconciler credits what was paid less what has gone back, in parts or as a whole', async () => {
  const [whole, part, none] = [await paid(), await paid(), await paid()];
  const refundId = await giveBack(whole.paymentId);
  await giveBack(part.paymentId, 1_180);
  await giveBack(part.paymentId, 2_360);
  expect(await reconcile()).toMatchObject({ credited: 3, failed: 0 });
  expect(await Promise.all([whole, part, none].map(({ buyer }) => balanceOf(buyer)))).toEqual([
    0, 20, 50,
  ]);
  expect(await refundsOf(whole.buyer)).toEqual([
    { state: 'processed', tokens: '50', amount_paise: '5900' },
  ]);
  expect(await refundsOf(part.buyer)).toEqual([
    { state: 'processed', tokens: '10', amount_paise: '1180' },
    { state: 'processed', tokens: '20', amount_paise: '2360' },
  ]);
  expect(await cast.cases(refundId)).toEqual(['refund-made-at-gateway']);
});

describe('an authorised payment', () => {
  test('is captured and credited at once; told again as it was before, it is not captured again', async () => {
    const { buyer, payment } = await authorized();
    expect(payment.status).toBe('authorized');
    const taken = await takePayment(edge.parts.deps, payment);
    expect(taken).toMatchObject({ state: 'captured', credited: true, balanceTokens: 50 });
    const unasked = withGateway({ capturePayment: () => Promise.reject(unavailable(null)) });
    expect(await takePayment(unasked, payment)).toMatchObject({
      state: 'captured',
      credited: false,
    });
    expect(await balanceOf(buyer)).toBe(50);
  });

  test('stays as it is when the gateway refuses to capture it, and comes again when it does not answer', async () => {
    const { buyer, payment } = await authorized();
    const refused = await takePayment(withGateway({ capturePayment: refuses }), payment);
    expect(refused).toMatchObject({ state: 'authorized', credited: false });
    const lost = withGateway({ capturePayment: () => Promise.reject(unavailable(null)) });
    await expect(takePayment(lost, payment)).rejects.toMatchObject({ code: 'gateway-unavailable' });
    expect(await balanceOf(buyer)).toBe(0);
    expect(await reconcile()).toMatchObject({ credited: 1, failed: 0 });
    expect(await balanceOf(buyer)).toBe(50);
  });
});

test('what has gone back is booked in the order in which it went: the first takes its tokens before the second', async () => {
  const { buyer, gatewayOrderId, paymentId } = await paid();
  // A begun token counts: 48.7 tokens are 49, and one is left for 1.3.
  await giveBack(paymentId, 5_750);
  await giveBack(paymentId, 150);
  await verify(buyer, gatewayOrderId, paymentId);
  expect(await refundsOf(buyer)).toEqual([
    { state: 'processed', tokens: '1', amount_paise: '150' },
    { state: 'processed', tokens: '49', amount_paise: '5750' },
  ]);
});

test('the buyer’s own verification credits no more', async () => {
  const { buyer, gatewayOrderId, paymentId } = await paid();
  await giveBack(paymentId);
  const answer = await verify(buyer, gatewayOrderId, paymentId);
  expect(answer.body).toMatchObject({ credited: true, balanceTokens: 0 });
  expect((await verify(buyer, gatewayOrderId, paymentId)).body).toMatchObject({ credited: false });
  expect(await refundsOf(buyer)).toHaveLength(1);
});

test('it is asked for where the gateway says refunded and does not say how much', async () => {
  const { buyer, paymentId } = await paid();
  await giveBack(paymentId);
  const payment = { ...(await shown(paymentId)), amount_refunded: null };
  expect(payment.status).toBe('refunded');
  expect(await takePayment(edge.parts.deps, payment)).toMatchObject({ balanceTokens: 0 });
  expect(await refundsOf(buyer)).toMatchObject([{ tokens: '50' }]);
});

test('what went back without having been captured was never ours: nothing is asked, credited or booked', async () => {
  const { buyer, paymentId } = await paid();
  const payment = { ...(await shown(paymentId)), status: 'refunded' as const, captured: false };
  const unasked = withGateway({ listRefunds: refuses });
  const before = await clearing();
  expect(await takePayment(unasked, { ...payment, amount_refunded: 5_900 })).toMatchObject({
    state: 'failed',
    credited: false,
  });
  expect([await balanceOf(buyer), await refundsOf(buyer)]).toEqual([0, []]);
  expect(await clearing()).toBe(before);
});

test('a payment of no order is refused, and is nobody’s case', async () => {
  const { paymentId } = await paid();
  const payment = { ...(await shown(paymentId)), order_id: null };
  await expect(takePayment(edge.parts.deps, payment)).rejects.toMatchObject({
    code: 'payment-mismatch',
  });
  expect(await cast.cases(paymentId)).toEqual([]);
});

test('one that failed at the bank took nothing', async () => {
  await edge.control.setFaults({ refunds: { failRate: 1 } });
  const { buyer, gatewayOrderId, paymentId } = await paid();
  await giveBack(paymentId);
  expect((await verify(buyer, gatewayOrderId, paymentId)).body.balanceTokens).toBe(50);
});

test('one that is on its way is asked about until its end is known', async () => {
  await edge.control.setFaults({ refunds: { holdRate: 1 } });
  const { buyer, gatewayOrderId, paymentId } = await paid();
  const refundId = await giveBack(paymentId);
  await verify(buyer, gatewayOrderId, paymentId);
  expect(await refundsOf(buyer)).toMatchObject([{ state: 'sent' }]);
  await edge.control.endRefund(refundId, 'processed');
  await sendRefunds(edge.parts.deps);
  expect(await refundsOf(buyer)).toMatchObject([{ state: 'processed' }]);
});

test('nothing is credited while the gateway does not say where the money went', async () => {
  const { buyer, gatewayOrderId, paymentId } = await paid();
  await giveBack(paymentId);
  await edge.control.setFaults({
    answers: { rules: [{ fault: 'error-before', path: '/refunds' }] },
  });
  expect((await verify(buyer, gatewayOrderId, paymentId)).status).toBe(503);
  await edge.control.resetFaults();
  const silent = withGateway({ listRefunds: async () => [] });
  await expect(takePayment(silent, await shown(paymentId))).rejects.toMatchObject({
    code: 'gateway-unavailable',
  });
  expect(await balanceOf(buyer)).toBe(0);
  await verify(buyer, gatewayOrderId, paymentId);
  expect(await refundsOf(buyer)).toHaveLength(1);
});

test('a webhook of one refund tells of those whose own were lost', async () => {
  const { buyer, gatewayOrderId, paymentId } = await paid();
  await verify(buyer, gatewayOrderId, paymentId);
  await giveBack(paymentId, 1_180);
  const second = await giveBack(paymentId, 2_360);
  const [event] = await edge.control.events(second, 'refund.created');
  await edge.control.deliver(event?.id ?? '');
  await edge.control.settled();
  expect(await balanceOf(buyer)).toBe(20);
  expect(await refundsOf(buyer)).toHaveLength(2);
});

test('a settlement tells of what nobody has heard of: it takes the tokens, and explains its lines', async () => {
  const [known, unknown] = [await paid(), await paid()];
  await verify(known.buyer, known.gatewayOrderId, known.paymentId);
  const refundIds = [await giveBack(known.paymentId), await giveBack(unknown.paymentId)];
  expect(await balanceOf(known.buyer)).toBe(50);
  const { settlement, items } = await edge.control.settle();
  expect(items.map(({ entity_id }) => entity_id)).toEqual(expect.arrayContaining(refundIds));
  expect(await reconcileSettlements(edge.parts.deps)).toMatchObject({ booked: 1, cases: 0 });
  expect(await balanceOf(known.buyer)).toBe(0);
  expect(await balanceOf(unknown.buyer)).toBe(0);
  for (const { entity_id } of items) {
    expect(await cast.cases(`${settlement.id}/${entity_id}`)).toEqual([]);
  }
  expect(await clearing()).toBe(0);
});

test('a settlement that names a refund alone tells of its payment as well', async () => {
  const { buyer, paymentId } = await paid();
  const refundId = await giveBack(paymentId);
  // A settlement brings something.
  await Promise.all([paid(), paid()]);
  await edge.control.settle({ leave_out: [paymentId] });
  expect(await reconcileSettlements(edge.parts.deps)).toMatchObject({ booked: 1, cases: 0 });
  expect([await balanceOf(buyer), await refundsOf(buyer)]).toMatchObject([
    0,
    [{ state: 'processed', tokens: '50' }],
  ]);
  expect(await cast.cases(refundId)).toEqual(['refund-made-at-gateway']);
  await edge.control.settle();
  expect(await reconcileSettlements(edge.parts.deps)).toMatchObject({ booked: 1, cases: 0 });
  expect(await clearing()).toBe(0);
});

describe('a refund that a line of a settlement names', () => {
  const refund = { type: 'refund' } as const;

  test('counts also while the gateway shows its payment as it was before', async () => {
    const { buyer, gatewayOrderId, paymentId } = await paid();
    await verify(buyer, gatewayOrderId, paymentId);
    const before = await shown(paymentId);
    const entityId = await giveBack(paymentId);
    const stale = withGateway({ fetchPayment: async () => before });
    await takeEntity(stale, { ...refund, entityId });
    expect(await balanceOf(buyer)).toBe(0);
    expect(await refundsOf(buyer)).toMatchObject([{ state: 'processed', tokens: '50' }]);
  });

  test('is nobody’s case when its payment was never captured', async () => {
    const { payment } = await authorized();
    const entityId = cast.unique('rfnd');
    const shownAs = { ...payment, status: 'refunded', amount_refunded: payment.amount } as const;
    const uncaptured = withGateway({
      fetchPayment: async () => shownAs,
      fetchRefund: async () => ({
        id: entityId,
        payment_id: payment.id,
        amount: payment.amount,
        currency: 'INR',
        status: 'processed',
        notes: {},
        acquirer_data: null,
        created_at: 0,
      }),
    });
    await takeEntity(uncaptured, { ...refund, entityId });
    expect(await cast.cases(entityId)).toEqual([]);
  });
});

test('a settlement tells of disputes that nobody has heard of, and of one that has turned', async () => {
  const [unheard, turned] = [await paid(), await paid()];
  for (const one of [unheard, turned]) {
    await verify(one.buyer, one.gatewayOrderId, one.paymentId);
    const { id } = await edge.control.openDispute(one.paymentId, { amount_deducted: 5_900 });
    if (one === unheard) continue;
    await edge.control.stepDispute(id, 'won');
    await followDisputes(edge.parts.deps);
    expect(await balanceOf(one.buyer)).toBe(50);
    await edge.control.stepDispute(id, 'lost');
  }
  // A settlement brings something.
  await paid();
  await edge.control.settle();
  expect(await reconcileSettlements(edge.parts.deps)).toMatchObject({ booked: 1, cases: 0 });
  expect(await balanceOf(unheard.buyer)).toBe(0);
  expect(await balanceOf(turned.buyer)).toBe(0);
  const states = await edge.database.asOwner(
    'select state from disputes where user_id = any ($1) order by state',
    [[unheard.buyer.id, turned.buyer.id]],
  );
  expect(states).toEqual([{ state: 'lost' }, { state: 'open' }]);
  expect(await clearing()).toBe(0);
});

test('while the gateway does not answer for a line it is a case, and it is asked again', async () => {
  const { buyer, gatewayOrderId, paymentId } = await paid();
  await verify(buyer, gatewayOrderId, paymentId);
  const refundId = await giveBack(paymentId);
  // A settlement brings something.
  await paid();
  const { settlement } = await edge.control.settle();
  await edge.control.setFaults({
    answers: { rules: [{ fault: 'error-before', path: '/refunds' }] },
  });
  expect(await reconcileSettlements(edge.parts.deps)).toMatchObject({ booked: 1, cases: 1 });
  expect(await cast.cases(`${settlement.id}/${refundId}`)).toEqual(['settlement-unexplained']);
  await edge.control.resetFaults();
  await reconcileSettlements(edge.parts.deps);
  expect(await balanceOf(buyer)).toBe(0);
  expect(await cast.cases(`${settlement.id}/${refundId}`)).toEqual([]);
  expect(await clearing()).toBe(0);
});
