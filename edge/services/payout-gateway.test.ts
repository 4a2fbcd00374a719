// Payouts: one transfer for each key, through answers that are lost, late, errors or refusals.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { payoutAccountNumberDefault } from '../../scripts/local/razorpay-sandbox/payouts/payout-account.ts';
import {
  startTestSandbox,
  type TestSandbox,
  testKeyId,
  testKeySecret,
} from '../../scripts/local/razorpay-sandbox/test-sandbox.ts';
import { createPayoutGateway, type PayoutGateway, payoutKeyTtlSeconds } from './payout-gateway.ts';

const access = {
  keyId: testKeyId,
  keySecret: testKeySecret,
  accountNumber: payoutAccountNumberDefault,
};
const unavailable = expect.objectContaining({ code: 'gateway-unavailable' });
const balancePaise = 100_000_000;

let t: TestSandbox;
let gateway: PayoutGateway;
/** Gives up at once, for answers that never come. */
let impatient: PayoutGateway;
beforeAll(async () => {
  t = await startTestSandbox();
  gateway = createPayoutGateway({ ...access, apiUrl: t.sandbox.url });
  impatient = createPayoutGateway({ ...access, apiUrl: t.sandbox.url, answerTimeoutMs: 150 });
});
afterAll(() => t.close());
beforeEach(async () => {
  await t.control.resetFaults();
  await t.control.moveClock(0);
  await t.control.setBalance(balancePaise);
});

const bank = {
  kind: 'bank',
  name: 'Asha Rao',
  ifsc: 'HDFC0000053',
  accountNumber: '765432123456789',
} as const;
const upi = { kind: 'upi', address: 'asha.rao@okaxis' } as const;

async function newContact(): Promise<string> {
  const contact = { referenceId: crypto.randomUUID(), name: 'Asha Rao', type: 'vendor' } as const;
  return (await gateway.createContact(contact)).contactId;
}

async function newFundAccount(details: typeof bank | typeof upi = bank): Promise<string> {
  const contactId = await newContact();
  return (await gateway.createFundAccount({ contactId, details })).fundAccountId;
}

async function newRequest(more: object = {}) {
  const idempotencyKey = crypto.randomUUID();
  return {
    fundAccountId: await newFundAccount(),
    amountPaise: 100_000,
    mode: 'IMPS' as const,
    idempotencyKey,
    referenceId: idempotencyKey,
    narration: 'Earnings',
    ...more,
  };
}

test('a contact and its fund accounts are made once for the same details', async () => {
  const contact = {
    referenceId: crypto.randomUUID(),
    name: 'Asha Rao',
    type: 'vendor',
    email: 'asha@example.com',
  } as const;
  const { contactId } = await gateway.createContact(contact);
  expect(contactId).toMatch(/^cont_/);
  expect(await gateway.createContact(contact)).toEqual({ contactId });
  const other = await gateway.createContact({ ...contact, referenceId: crypto.randomUUID() });
  expect(other.contactId).not.toBe(contactId);

  const made = await gateway.createFundAccount({ contactId, details: bank });
  expect(made.fundAccountId).toMatch(/^fa_/);
  expect(await gateway.createFundAccount({ contactId, details: bank })).toEqual(made);
  const address = await gateway.createFundAccount({ contactId, details: upi });
  expect(address.fundAccountId).not.toBe(made.fundAccountId);
});

test('a contact or fund account that the gateway does not take is refused with its reason', async () => {
  const contact = { referenceId: 'user-1', name: 'a', type: 'vendor' } as const;
  await expect(gateway.createContact(contact)).rejects.toMatchObject({
    name: 'GatewayRefusal',
    status: 400,
    field: 'name',
  });
  const contactId = await newContact();
  await expect(
    gateway.createFundAccount({ contactId, details: { ...bank, ifsc: 'HDFC1000053' } }),
  ).rejects.toMatchObject({ name: 'GatewayRefusal', description: 'Invalid IFSC Code' });
});

test('a validation of a bank account drops a rupee and tells the name that the bank knows', async () => {
  await t.control.setFaults({ validations: { registeredName: 'A. Rao' } });
  const fundAccountId = await newFundAccount();
  const asked = await gateway.validate({ fundAccountId, kind: 'bank', referenceId: 'user-1' });
  expect(asked).toMatchObject({
    status: 'created',
    amount: 100,
    fund_account: { id: fundAccountId },
    results: { account_status: null, registered_name: null },
    notes: { reference_id: 'user-1' },
    utr: null,
  });
  await t.control.settled();
  expect(await gateway.fetchValidation(asked.id)).toMatchObject({
    status: 'completed',
    results: { account_status: 'active', registered_name: 'A. Rao' },
    utr: expect.any(String),
  });
  expect(await gateway.fetchValidation('fav_00000000000000')).toBeNull();
});

test('a validation whose answer was lost is found by its account and reference', async () => {
  const fundAccountId = await newFundAccount();
  const ours = { fundAccountId, referenceId: 'user-2' };
  await t.control.setFaults({
    answers: {
      rules: [{ fault: 'cut-after', method: 'POST', path: '/v1/fund_accounts/validations' }],
    },
  });
  await expect(gateway.validate({ ...ours, kind: 'bank' })).rejects.toEqual(unavailable);
  await t.control.settled();
  expect(await gateway.findValidation(ours)).toMatchObject({
    status: 'completed',
    fund_account: { id: fundAccountId },
  });
  expect(await gateway.findValidation({ ...ours, referenceId: 'user-3' })).toBeNull();
  const another = { ...ours, fundAccountId: await newFundAccount() };
  expect(await gateway.findValidation(another)).toBeNull();
});

test('a validation of a UPI address only looks it up', async () => {
  const fundAccountId = await newFundAccount(upi);
  const asked = await gateway.validate({ fundAccountId, kind: 'upi', referenceId: 'user-1' });
  expect(asked).toMatchObject({ status: 'created', amount: null });
  await t.control.settled();
  expect(await gateway.fetchValidation(asked.id)).toMatchObject({
    results: { account_status: 'active', registered_name: 'Asha Rao' },
    utr: null,
  });
});

test.each([
  [{ invalidRate: 1 }, 'completed', { account_status: 'invalid', registered_name: null }],
  [{ failRate: 1 }, 'failed', { account_status: null, registered_name: null }],
])('a validation with %o ends as %s', async (validations, status, results) => {
  await t.control.setFaults({ validations });
  const fundAccountId = await newFundAccount();
  const asked = await gateway.validate({ fundAccountId, kind: 'bank', referenceId: 'user-1' });
  await t.control.settled();
  expect(await gateway.fetchValidation(asked.id)).toMatchObject({ status, results });
});

test('a payout is processed, and found by its id and its reference', async () => {
  const request = await newRequest();
  const asked = await gateway.pay(request);
  expect(asked).toMatchObject({
    fund_account_id: request.fundAccountId,
    amount: 100_000,
    currency: 'INR',
    status: 'processing',
    mode: 'IMPS',
    fees: 590,
    tax: 90,
    utr: null,
    reference_id: request.referenceId,
    narration: 'Earnings',
    purpose: 'payout',
    failure_reason: null,
  });
  await t.control.settled();
  const done = await gateway.fetchPayout(asked.id);
  expect(done).toMatchObject({
    status: 'processed',
    utr: expect.stringMatching(/^\d{12}$/),
    status_details: { reason: 'payout_processed' },
  });
  expect(await gateway.findPayouts({ referenceId: request.referenceId })).toEqual([done]);
  expect(await gateway.findPayouts({ referenceId: 'nobody' })).toEqual([]);
  expect(await gateway.fetchPayout('pout_00000000000000')).toBeNull();
  expect(await t.control.transfers({ reference_id: request.referenceId })).toMatchObject([
    { payout_id: asked.id, amount: 100_000, destination: '765432123456789@HDFC0000053' },
  ]);
});

test('a UPI address is paid over UPI', async () => {
  const request = await newRequest({ fundAccountId: await newFundAccount(upi), mode: 'UPI' });
  await gateway.pay(request);
  await t.control.settled();
  expect(await t.control.transfers({ reference_id: request.referenceId })).toMatchObject([
    { destination: upi.address, mode: 'UPI' },
  ]);
});

test.each(['cut-before', 'cut-after', 'error-before', 'error-after', 'hang'] as const)(
  'a payout whose answers are lost (%s) is asked for with the same key and paid once',
  async (fault) => {
    const request = await newRequest();
    await t.control.setFaults({ answers: { rules: [{ fault, path: '/v1/payouts', times: 2 }] } });
    const asking = fault === 'hang' ? impatient : gateway;
    await expect(asking.pay(request)).rejects.toEqual(unavailable);
    await expect(asking.pay(request)).rejects.toEqual(unavailable);
    const payout = await gateway.pay(request);
    await t.control.settled();
    expect(await gateway.pay(request)).toMatchObject({ id: payout.id, status: 'processed' });
    expect(await t.control.transfers({ reference_id: request.referenceId })).toHaveLength(1);
    const found = await gateway.findPayouts({ referenceId: request.referenceId });
    expect(found.map(({ id }) => id)).toEqual([payout.id]);
  },
);

test.each([409, 429, 500, 503] as const)(
  'a payout that was carried out and answered with %i is in the dark, not refused',
  async (status) => {
    const request = await newRequest();
    const rule = { fault: 'error-after', status, path: '/v1/payouts', times: 1 } as const;
    await t.control.setFaults({ answers: { rules: [rule] } });
    await expect(gateway.pay(request)).rejects.toEqual(unavailable);
    await gateway.pay(request);
    await t.control.settled();
    expect(await t.control.transfers({ reference_id: request.referenceId })).toHaveLength(1);
  },
);

test('a key that comes many times at once pays once', async () => {
  const request = await newRequest();
  const payouts = await Promise.all(Array.from({ length: 10 }, () => gateway.pay(request)));
  expect(new Set(payouts.map(({ id }) => id)).size).toBe(1);
  await t.control.settled();
  expect(await t.control.transfers({ reference_id: request.referenceId })).toHaveLength(1);
});

test('what the gateway does not take is refused with its reason, and nothing is paid', async () => {
  const wrong = [
    [{ amountPaise: 1 }, { field: 'amount', reason: 'input_validation_failed' }],
    [{ mode: 'UPI' }, { field: 'mode' }],
    [{ narration: 'Earnings, October' }, { field: 'narration' }],
    [{ fundAccountId: 'fa_00000000000000' }, { description: 'The id provided does not exist' }],
  ] as const;
  for (const [more, refusal] of wrong) {
    const request = await newRequest(more);
    await expect(gateway.pay(request), JSON.stringify(more)).rejects.toMatchObject({
      name: 'GatewayRefusal',
      status: 400,
      ...refusal,
    });
    expect(await gateway.findPayouts({ referenceId: request.referenceId })).toEqual([]);
  }
  await expect(gateway.pay(await newRequest({ idempotencyKey: 'a/b' }))).rejects.toThrow('a key');
});

test('wrong keys say nothing about a payout', async () => {
  const stranger = createPayoutGateway({
    ...access,
    keySecret: 'wrong',
    apiUrl: t.sandbox.url,
  });
  await expect(stranger.pay(await newRequest())).rejects.toEqual(unavailable);
  await expect(stranger.fetchPayout('pout_00000000000000')).rejects.toEqual(unavailable);
});

test('a refusal is not believed when an earlier attempt has made the payout', async () => {
  const request = await newRequest();
  await t.control.setFaults({
    answers: { rules: [{ fault: 'cut-after', path: '/v1/payouts', times: 1 }] },
  });
  await expect(gateway.pay(request)).rejects.toEqual(unavailable);
  // Another narration under the same key: the gateway refuses, although the money has left.
  const payout = await gateway.pay({ ...request, narration: 'Other words' });
  expect(payout).toMatchObject({ narration: 'Earnings', reference_id: request.referenceId });
  // Another amount is another payout, and nothing is known of it.
  await expect(gateway.pay({ ...request, amountPaise: 200_000 })).rejects.toEqual(unavailable);
  await t.control.settled();
  expect(await t.control.transfers({ reference_id: request.referenceId })).toHaveLength(1);
});

test('a refusal is not final while it is not known whether the payout exists', async () => {
  const request = await newRequest({ amountPaise: 1 });
  const rule = { fault: 'error-before', method: 'GET', path: '/v1/payouts' } as const;
  await t.control.setFaults({ answers: { rules: [rule] } });
  await expect(gateway.pay(request)).rejects.toEqual(unavailable);
});

test('a refusal is not final when the search for the payout is refused as well', async () => {
  const other = createPayoutGateway({
    ...access,
    apiUrl: t.sandbox.url,
    accountNumber: '7878780080316317',
  });
  await expect(other.pay(await newRequest())).rejects.toEqual(unavailable);
});

test('after the life of a key the payout is found by its reference, and need not be asked for', async () => {
  const request = await newRequest();
  await t.control.setFaults({
    answers: { rules: [{ fault: 'cut-after', path: '/v1/payouts', times: 1 }] },
  });
  await expect(gateway.pay(request)).rejects.toEqual(unavailable);
  await t.control.moveClock(payoutKeyTtlSeconds + 60);
  await t.control.settled();
  expect(await gateway.findPayouts({ referenceId: request.referenceId })).toMatchObject([
    { status: 'processed' },
  ]);
});

test('the balance is that of the account that is paid from, and of no other one', async () => {
  await t.control.setBalance(12_345_678);
  expect(await gateway.readBalance()).toBe(12_345_678);
  const other = createPayoutGateway({
    ...access,
    apiUrl: t.sandbox.url,
    accountNumber: '7878780080316317',
  });
  expect(await other.readBalance()).toBeNull();
});

test('with too little money a payout is queued, until there is more', async () => {
  await t.control.setBalance(0);
  const request = await newRequest();
  expect(await gateway.pay(request)).toMatchObject({ status: 'queued', fees: 0, tax: 0 });
  expect(await t.control.transfers({ reference_id: request.referenceId })).toEqual([]);
  await t.control.setBalance(balancePaise);
  await t.control.settled();
  expect(await gateway.pay(request)).toMatchObject({ status: 'processed' });
});

test('payouts that fail, are rejected or come back say why', async () => {
  await t.control.setFaults({ payouts: { failRate: 1 } });
  const failed = await gateway.pay(await newRequest());
  await t.control.settled();
  expect(await gateway.fetchPayout(failed.id)).toMatchObject({
    status: 'failed',
    failure_reason: expect.any(String),
    status_details: { reason: 'beneficiary_bank_rejected', source: 'beneficiary_bank' },
  });
  await t.control.setFaults({ payouts: { failRate: 0, approvalRate: 1 } });
  const rejected = await gateway.pay(await newRequest());
  expect(rejected.status).toBe('pending');
  await t.control.stepPayout(rejected.id, 'rejected');
  expect(await gateway.fetchPayout(rejected.id)).toMatchObject({ status: 'rejected' });
  await t.control.setFaults({ payouts: { approvalRate: 0 } });
  const reversed = await gateway.pay(await newRequest());
  await t.control.settled();
  await t.control.stepPayout(reversed.id, 'reversed', 'bank_account_closed');
  expect(await gateway.fetchPayout(reversed.id)).toMatchObject({
    status: 'reversed',
    utr: expect.any(String),
    status_details: { reason: 'bank_account_closed' },
  });
});
