// RazorpayX payouts: asked for, carried out, queued while money is short, and told with a secret of their own.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  packageFor,
  startTestSandbox,
  type TestSandbox,
  testWebhookSecret,
} from '../test-sandbox.ts';
import { signed, startWebhookReceiver } from '../webhook-receiver.ts';
import { payoutAccountNumberDefault } from './payout-account.ts';

let t: TestSandbox;
let fundAccountId: string;
beforeEach(async () => {
  t = await startTestSandbox();
  fundAccountId = (await t.newFundAccount()).id;
});
afterEach(() => t.close());

const names = async (id: string) => (await t.control.events(id)).map(({ name }) => name);
const payout = async (id: string) => (await t.rest('GET', `/payouts/${id}`)).json;
const balance = async () => (await t.control.payoutAccount()).balancePaise;

describe('a payout', () => {
  test('is processing, then processed, and moves its amount once', async () => {
    const before = await balance();
    const { status, json } = await t.payOut(
      fundAccountId,
      { notes: { statement: 's-1' } },
      'key-1',
    );
    expect(status).toBe(200);
    expect(json).toEqual({
      id: expect.stringMatching(/^pout_[A-Za-z0-9]{14}$/),
      entity: 'payout',
      fund_account_id: fundAccountId,
      amount: 100_000,
      currency: 'INR',
      notes: { statement: 's-1' },
      fees: 590,
      tax: 90,
      status: 'processing',
      purpose: 'payout',
      utr: null,
      mode: 'IMPS',
      reference_id: 'key-1',
      narration: 'Earnings',
      debit_account_number: payoutAccountNumberDefault,
      batch_id: null,
      failure_reason: null,
      status_details: {
        reason: 'payout_bank_processing',
        description: expect.any(String),
        source: 'gateway',
      },
      created_at: expect.any(Number),
      fee_type: '',
    });
    await t.control.settled();
    const done = await payout(json.id);
    expect(done).toMatchObject({ status: 'processed', utr: expect.stringMatching(/^\d{12}$/) });
    expect(await balance()).toBe(before - 100_590);
    expect(await t.control.transfers()).toEqual([
      {
        id: expect.stringMatching(/^bank_/),
        payout_id: json.id,
        idempotency_key: 'key-1',
        reference_id: 'key-1',
        fund_account_id: fundAccountId,
        destination: '765432123456789@HDFC0000053',
        amount: 100_000,
        currency: 'INR',
        mode: 'IMPS',
        utr: done.utr,
        executed_at: expect.any(Number),
        returned: false,
        returned_at: null,
      },
    ]);
    const events = await t.control.events(json.id);
    expect(events.map(({ name }) => name)).toEqual([
      'payout.initiated',
      'payout.processed',
      'payout.updated',
    ]);
    expect(JSON.parse(events[1]?.body ?? '')).toMatchObject({
      event: 'payout.processed',
      contains: ['payout'],
      payload: { payout: { entity: done } },
    });
  });

  test('is found by its reference, within its account only', async () => {
    const { json } = await t.payOut(fundAccountId, { reference_id: 'statement-7' });
    await t.payOut(fundAccountId);
    const list = (query: string) => t.rest('GET', `/payouts?${query}`);
    const account = `account_number=${payoutAccountNumberDefault}`;
    const found = await list(`${account}&reference_id=statement-7`);
    expect(found.json.items.map(({ id }: { id: string }) => id)).toEqual([json.id]);
    expect((await list(`${account}&reference_id=nobody`)).json.count).toBe(0);
    expect((await list(`${account}&count=1`)).json.count).toBe(1);
    expect((await list('reference_id=statement-7')).status).toBe(400);
  });

  test.each([
    [{ amount: 99 }, 'amount'],
    [{ amount: 1.5 }, 'amount'],
    [{ currency: 'USD' }, 'currency'],
    [{ mode: 'CASH' }, 'mode'],
    [{ mode: 'UPI' }, 'mode'],
    [{ amount: 50_000_100 }, 'amount'],
    [{ account_number: '1' }, 'account_number'],
    [{ purpose: undefined }, 'purpose'],
    [{ reference_id: 'x'.repeat(41) }, 'reference_id'],
    [{ narration: 'no-dashes' }, 'narration'],
    [{ fund_account_id: 'fa_00000000000000' }, undefined],
  ])('with %o is refused, and its key stays free', async (change, field) => {
    const refused = await t.payOut(fundAccountId, change, 'key-refused');
    expect(refused.status).toBe(400);
    expect(refused.json.error).toMatchObject({ code: 'BAD_REQUEST_ERROR' });
    expect(refused.json.error.field).toBe(field);
    expect((await t.payOut(fundAccountId, {}, 'key-refused')).status).toBe(200);
  });
});

describe('a low balance', () => {
  test('queues payouts until there is money, first come first served where it fits', async () => {
    await t.control.setBalance(50_000);
    const large = (await t.payOut(fundAccountId)).json;
    const small = (await t.payOut(fundAccountId, { amount: 60_000 })).json;
    expect(large).toMatchObject({
      status: 'queued',
      fees: 0,
      status_details: { reason: 'low_balance', source: 'business' },
    });
    await t.control.setBalance(70_000);
    await t.control.settled();
    expect((await payout(large.id)).status).toBe('queued');
    expect((await payout(small.id)).status).toBe('processed');
    await t.control.setBalance(200_000);
    await t.control.settled();
    expect(await names(large.id)).toEqual([
      'payout.queued',
      'payout.initiated',
      'payout.processed',
      'payout.updated',
    ]);
    expect(await balance()).toBe(200_000 - 100_590);
  });

  test('refuses a payout that must not be queued', async () => {
    await t.control.setBalance(100_589);
    const { status, json } = await t.payOut(fundAccountId, { queue_if_low_balance: false });
    expect(status).toBe(400);
    expect(json.error.description).toBe(
      'Your account does not have enough balance to carry out the payout operation.',
    );
  });

  test('is filled by what comes back, which hands out what waits', async () => {
    await t.control.setBalance(101_000);
    await t.control.setFaults({ payouts: { holdRate: 1 } });
    const first = (await t.payOut(fundAccountId)).json;
    const second = (await t.payOut(fundAccountId)).json;
    expect(second.status).toBe('queued');
    await t.control.stepPayout(first.id, 'failed');
    expect((await payout(second.id)).status).toBe('processing');
  });
});

test('webhooks of RazorpayX go to their own address with their own secret, where they are given', async () => {
  const receiver = await startWebhookReceiver();
  const own = await startTestSandbox({
    payoutWebhookUrl: receiver.url,
    payoutWebhookSecret: 'a-secret-of-razorpayx',
    payoutKeyId: 'rzp_test_razorpayx00000',
    payoutKeySecret: 'a-key-secret-of-razorpayx',
  });
  const authorization = `Basic ${btoa('rzp_test_razorpayx00000:a-key-secret-of-razorpayx')}`;
  const contact = await own.rest('POST', '/contacts', { name: 'Asha Rao' }, { authorization });
  expect((await own.rest('POST', '/contacts', { name: 'Asha Rao' })).status).toBe(401);
  const vpa = await own.rest(
    'POST',
    '/fund_accounts',
    { contact_id: contact.json.id, account_type: 'vpa', vpa: { address: 'asha@examplebank' } },
    { authorization },
  );
  const body = {
    account_number: payoutAccountNumberDefault,
    fund_account_id: vpa.json.id,
    amount: 5_000,
    currency: 'INR',
    mode: 'UPI',
    purpose: 'payout',
  };
  await own.rest('POST', '/payouts', body, { authorization, 'x-payout-idempotency': 'own-1' });
  await own.newPayment();
  await own.control.settled();
  expect(receiver.received.map(({ event }) => event).toSorted()).toEqual([
    'payout.initiated',
    'payout.processed',
    'payout.updated',
  ]);
  for (const { raw, signature } of receiver.received) {
    expect(signature).toBe(signed(raw, 'a-secret-of-razorpayx'));
  }
  expect(own.receiver.received).toHaveLength(3);
  for (const { raw, signature } of own.receiver.received) {
    expect(signature).toBe(signed(raw, testWebhookSecret));
  }
  expect(await own.control.transfers()).toMatchObject([{ destination: 'asha@examplebank' }]);
  // The gateway's keys still open the gateway.
  expect((await packageFor(own.sandbox.url).orders.all()).count).toBe(1);
  await own.close();
  await receiver.close();
});
