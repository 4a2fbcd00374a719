// Disputes through the official package: opened, answered, decided, and what they cost.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from './test-sandbox.ts';

let t: TestSandbox;
beforeAll(async () => {
  t = await startTestSandbox();
});
afterAll(() => t.close());

const names = async (id: string) => (await t.control.events(id)).map(({ name }) => name);
const adjustments = async (disputeId: string) =>
  (await t.control.waitingToSettle())
    .filter(({ dispute_id }) => dispute_id === disputeId)
    .map(({ debit, credit }) => ({ debit, credit }));

test('a dispute is listed with the fields of the gateway, and told with its payment', async () => {
  const payment = await t.newPayment('card');
  const dispute = await t.control.openDispute(payment.id, {
    phase: 'chargeback',
    reason_code: 'fraud_transaction',
    respond_by: 1_900_000_000,
  });
  expect(dispute).toMatchObject({
    id: expect.stringMatching(/^disp_[A-Za-z0-9]{14}$/),
    entity: 'dispute',
    payment_id: payment.id,
    amount: 59_000,
    currency: 'INR',
    amount_deducted: 0,
    reason_code: 'fraud_transaction',
    respond_by: 1_900_000_000,
    status: 'open',
    phase: 'chargeback',
    evidence: { amount: 59_000, summary: null, billing_proof: null, submitted_at: null },
  });
  expect(await t.razorpay.disputes.fetch(dispute.id)).toEqual(dispute);
  expect((await t.razorpay.disputes.all()).items).toEqual([dispute]);
  const [created] = await t.control.events(dispute.id);
  expect(JSON.parse(created?.body ?? '')).toMatchObject({
    event: 'payment.dispute.created',
    contains: ['payment', 'dispute'],
    payload: {
      payment: { entity: { id: payment.id } },
      dispute: { entity: { id: dispute.id, status: 'open' } },
    },
  });
  expect(await adjustments(dispute.id)).toEqual([]);
});

test('accepting one loses it, and its amount is taken once', async () => {
  const dispute = await t.control.openDispute((await t.newPayment()).id, { amount: 20_000 });
  expect(await t.razorpay.disputes.accept(dispute.id)).toMatchObject({
    status: 'lost',
    amount_deducted: 20_000,
  });
  expect(await names(dispute.id)).toEqual(['payment.dispute.created', 'payment.dispute.lost']);
  expect(await adjustments(dispute.id)).toEqual([{ debit: 20_000, credit: 0 }]);
  await expect(t.razorpay.disputes.accept(dispute.id)).rejects.toMatchObject({ statusCode: 400 });
  await expect(t.control.stepDispute(dispute.id, 'won')).rejects.toThrow(/is lost/);
});

test('a draft keeps evidence; a submission needs some and is reviewed', async () => {
  const { id } = await t.control.openDispute((await t.newPayment()).id);
  await expect(
    t.razorpay.disputes.contest(id, { summary: 'delivered', action: 'submit' }),
  ).rejects.toMatchObject({ error: { description: /evidence/ } });
  const draft = await t.razorpay.disputes.contest(id, {
    amount: 5_000,
    summary: 'the tokens were spent',
    access_activity_log: ['doc_EFtmUsbwpXwBH9'],
    action: 'draft',
  });
  expect(draft).toMatchObject({ status: 'open', evidence: { amount: 5_000, submitted_at: null } });
  const submitted = await t.razorpay.disputes.contest(id, {
    billing_proof: ['doc_EFtmUsbwpXwBG9'],
    action: 'submit',
  });
  expect(submitted).toMatchObject({
    status: 'under_review',
    evidence: {
      summary: 'the tokens were spent',
      access_activity_log: ['doc_EFtmUsbwpXwBH9'],
      billing_proof: ['doc_EFtmUsbwpXwBG9'],
      submitted_at: expect.any(Number),
    },
  });
  await expect(t.razorpay.disputes.contest(id, { action: 'submit' })).rejects.toMatchObject({
    statusCode: 400,
  });
  // The bank asks for more: it is open again, and told so.
  expect(await t.control.stepDispute(id, 'action_required')).toMatchObject({ status: 'open' });
  await t.razorpay.disputes.contest(id, { action: 'submit' });
  expect(await t.control.stepDispute(id, 'won')).toMatchObject({ status: 'won' });
  expect(await names(id)).toEqual([
    'payment.dispute.created',
    'payment.dispute.under_review',
    'payment.dispute.action_required',
    'payment.dispute.under_review',
    'payment.dispute.won',
  ]);
  expect(await adjustments(id)).toEqual([]);
});

test('what was taken at the start is given back when it is won, and not taken twice when lost', async () => {
  const won = await t.control.openDispute((await t.newPayment()).id, { amount_deducted: 59_000 });
  expect(await t.control.stepDispute(won.id, 'won')).toMatchObject({ amount_deducted: 0 });
  expect(await adjustments(won.id)).toEqual([
    { debit: 59_000, credit: 0 },
    { debit: 0, credit: 59_000 },
  ]);
  // The banks decide otherwise: it is taken again, for good.
  expect(await t.control.stepDispute(won.id, 'lost')).toMatchObject({ amount_deducted: 59_000 });
  await expect(t.control.stepDispute(won.id, 'won')).rejects.toThrow(/is lost/);
  const lost = await t.control.openDispute((await t.newPayment()).id, { amount_deducted: 50_000 });
  await t.control.stepDispute(lost.id, 'lost');
  expect(await adjustments(lost.id)).toEqual([
    { debit: 50_000, credit: 0 },
    { debit: 9_000, credit: 0 },
  ]);
  const closed = await t.control.openDispute((await t.newPayment()).id, { phase: 'fraud' });
  expect(await t.control.stepDispute(closed.id, 'closed')).toMatchObject({ status: 'closed' });
  expect((await names(closed.id)).at(-1)).toBe('payment.dispute.closed');
});

test('a payment is not refunded while its chargeback goes on', async () => {
  const payment = await t.newPayment();
  const { id } = await t.control.openDispute(payment.id);
  await expect(t.razorpay.payments.refund(payment.id, {})).rejects.toMatchObject({
    error: { description: /ongoing dispute/ },
  });
  await t.control.stepDispute(id, 'won');
  expect(await t.razorpay.payments.refund(payment.id, {})).toMatchObject({ amount: 59_000 });
});

test('after the time to respond nothing can be answered', async () => {
  const { id } = await t.control.openDispute((await t.newPayment()).id, { respond_by: 1 });
  await expect(t.razorpay.disputes.accept(id)).rejects.toMatchObject({ statusCode: 400 });
  await expect(t.razorpay.disputes.contest(id, { summary: 'late' })).rejects.toMatchObject({
    statusCode: 400,
  });
});

test('only captured payments are disputed, and not for more than they were', async () => {
  const { payment } = await t.control.pay((await t.newOrder()).id, { outcome: 'failure' });
  await expect(t.control.openDispute(payment.id)).rejects.toThrow(/captured/);
  const captured = await t.newPayment();
  await expect(t.control.openDispute(captured.id, { amount: 59_001 })).rejects.toThrow(/More/);
});
