// What survives a restart: everything, also from the file of an earlier version.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from './test-sandbox.ts';

let directory: string;
let stateFile: string;
let t: TestSandbox;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'livepanty-sandbox-'));
  stateFile = join(directory, 'state.json');
});
afterEach(async () => {
  await t.close();
  await rm(directory, { recursive: true, force: true });
});

/** A sandbox that goes on where the last one ended. */
async function restart(): Promise<void> {
  await t.close();
  t = await startTestSandbox({ stateFile });
}

test('every entity, key, balance and date survives', async () => {
  t = await startTestSandbox({ stateFile });
  await t.control.moveClock(1_000_000);
  const payment = await t.newPayment();
  const refundBody = { amount: 5_000 };
  const refundKey = { 'x-refund-idempotency': 'refund-key-0001' };
  const refund = await t.rest('POST', `/payments/${payment.id}/refund`, refundBody, refundKey);
  const dispute = await t.control.openDispute(payment.id, { amount_deducted: 1_000 });
  await t.newPayment();
  await t.control.settled();
  const { settlement } = await t.control.settle({ leave_out: [payment.id] });
  const fundAccount = await t.newFundAccount();
  const payout = await t.payOut(fundAccount.id, {}, 'payout-key-1');
  const validation = await t.rest('POST', '/fund_accounts/validations', {
    account_number: '7878780080316316',
    fund_account: { id: fundAccount.id },
  });
  await t.control.settled();
  const open = await t.control.pay((await t.newOrder()).id, { outcome: 'open' });

  const paths = [
    `/payments/${payment.id}`,
    `/orders/${payment.order_id}/payments`,
    `/refunds/${refund.json.id}`,
    `/disputes/${dispute.id}`,
    `/settlements/${settlement.id}`,
    `/fund_accounts/${fundAccount.id}`,
    `/contacts/${fundAccount.contact_id}`,
    `/fund_accounts/validations/${validation.json.id}`,
    `/payouts/${payout.json.id}`,
  ];
  const everything = async () => ({
    entities: await Promise.all(paths.map(async (path) => (await t.rest('GET', path)).json)),
    transfers: await t.control.transfers(),
    account: await t.control.payoutAccount(),
    waiting: await t.control.waitingToSettle(),
    events: (await t.control.events()).map(({ id, body }) => ({ id, body })),
  });
  const before = await everything();
  await restart();
  expect(await everything()).toEqual(before);

  // The keys still mean what they meant, and the clock what it was.
  const again = await t.rest('POST', `/payments/${payment.id}/refund`, refundBody, refundKey);
  expect(again.json.id).toBe(refund.json.id);
  expect((await t.payOut(fundAccount.id, {}, 'payout-key-1')).json.id).toBe(payout.json.id);
  expect(await t.control.transfers()).toHaveLength(1);
  expect((await t.newOrder()).created_at).toBeGreaterThan(Date.now() / 1000 + 900_000);
  await t.control.moveClock(1_000_000 + 11 * 60);
  expect(await t.razorpay.payments.fetch(open.payment.id)).toMatchObject({ status: 'failed' });
});

test('what the bank had not done is done after the restart, once', async () => {
  t = await startTestSandbox({ stateFile });
  const fundAccount = await t.newFundAccount();
  await t.control.setFaults({ payouts: { delayMs: 60_000 }, refunds: { delayMs: 60_000 } });
  const payout = await t.payOut(fundAccount.id);
  const refund = await t.razorpay.payments.refund((await t.newPayment()).id, {});
  await t.close();
  // Their time is over by then.
  const state = JSON.parse(await readFile(stateFile, 'utf8'));
  expect(state.agenda).toHaveLength(2);
  for (const move of state.agenda) move.delayMs = 0;
  await writeFile(stateFile, JSON.stringify(state));

  t = await startTestSandbox({ stateFile });
  await t.control.settled();
  expect((await t.rest('GET', `/payouts/${payout.json.id}`)).json.status).toBe('processed');
  expect(await t.razorpay.refunds.fetch(refund.id)).toMatchObject({ status: 'processed' });
  await restart();
  await t.control.settled();
  expect(await t.control.transfers()).toHaveLength(1);
});

test('a payout whose answer never came is not paid again after a restart', async () => {
  t = await startTestSandbox({ stateFile });
  const { id } = await t.newFundAccount();
  await t.control.setFaults({ answers: { rules: [{ fault: 'hang', path: '/v1/payouts' }] } });
  await expect(t.payOut(id, {}, 'lost-answer', AbortSignal.timeout(200))).rejects.toThrow();
  await restart();
  expect((await t.payOut(id, {}, 'lost-answer')).status).toBe(200);
  await t.control.settled();
  expect(await t.control.transfers({ reference_id: 'lost-answer' })).toHaveLength(1);
});

test('a file of the first version is read', async () => {
  const payment = {
    id: 'pay_AAAAAAAAAAAAAA',
    entity: 'payment',
    amount: 59_000,
    currency: 'INR',
    status: 'authorized',
    order_id: 'order_AAAAAAAAAAAAAA',
    invoice_id: null,
    international: false,
    method: 'upi',
    amount_refunded: 0,
    refund_status: null,
    captured: false,
    description: null,
    card_id: null,
    bank: null,
    wallet: null,
    vpa: 'success@razorpay',
    email: 'void@razorpay.com',
    contact: '+919999999999',
    notes: [],
    fee: null,
    tax: null,
    error_code: null,
    error_description: null,
    error_source: null,
    error_step: null,
    error_reason: null,
    acquirer_data: { rrn: '123456789012' },
    created_at: 1_760_000_000,
  };
  const order = {
    id: 'order_AAAAAAAAAAAAAA',
    entity: 'order',
    amount: 59_000,
    amount_paid: 0,
    amount_due: 59_000,
    currency: 'INR',
    receipt: 'r-1',
    offer_id: null,
    status: 'attempted',
    attempts: 1,
    notes: [],
    created_at: 1_760_000_000,
  };
  const event = {
    id: 'EEEEEEEEEEEEEE',
    name: 'payment.authorized',
    orderId: order.id,
    paymentId: payment.id,
    body: '{"event":"payment.authorized"}',
    deliveries: [{ signature: 's', state: 'pending', attempts: 1, lastStatus: 503 }],
  };
  await writeFile(
    stateFile,
    JSON.stringify({
      version: 1,
      accountId: 'acc_AAAAAAAAAAAAAA',
      gateway: { accounts: [{ order, autoCapture: false, payments: [payment] }] },
      events: [event],
    }),
  );
  t = await startTestSandbox({ stateFile });
  await t.control.settled();
  expect(t.receiver.received).toMatchObject([{ eventId: event.id, raw: event.body }]);
  expect(await t.razorpay.payments.capture(payment.id, 59_000, 'INR')).toMatchObject({
    status: 'captured',
  });
  await restart();
  expect(await t.razorpay.orders.fetch(order.id)).toMatchObject({ status: 'paid' });
  expect(JSON.parse(await readFile(stateFile, 'utf8')).version).toBe(2);
});

test('a broken file is not overwritten', async () => {
  await writeFile(stateFile, '{"version": 2}');
  await expect(startTestSandbox({ stateFile })).rejects.toThrow(/is broken/);
  expect(await readFile(stateFile, 'utf8')).toBe('{"version": 2}');
  await rm(stateFile);
  t = await startTestSandbox({ stateFile });
});
