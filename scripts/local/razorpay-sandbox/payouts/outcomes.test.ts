// What can become of a payout, and what it costs.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../test-sandbox.ts';

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

test('a failed payout moves nothing and costs nothing', async () => {
  const before = await balance();
  await t.control.setFaults({ payouts: { failRate: 1, delayMs: 100 } });
  const { json } = await t.payOut(fundAccountId);
  expect(await balance()).toBe(before - 100_590);
  await t.control.settled();
  expect(await payout(json.id)).toMatchObject({
    status: 'failed',
    fees: 0,
    tax: 0,
    failure_reason: expect.any(String),
    status_details: { reason: 'beneficiary_bank_rejected', source: 'beneficiary_bank' },
  });
  expect(await balance()).toBe(before);
  expect(await names(json.id)).toEqual(['payout.initiated', 'payout.failed']);
  expect(await t.control.transfers()).toEqual([]);
});

test('a payout can be reversed after it was processed: the money came back, fees and all', async () => {
  const before = await balance();
  await t.control.setFaults({ payouts: { reverseRate: 1 } });
  const { json } = await t.payOut(fundAccountId);
  await t.control.settled();
  expect(await payout(json.id)).toMatchObject({ status: 'reversed', fees: 590 });
  expect(await names(json.id)).toEqual([
    'payout.initiated',
    'payout.processed',
    'payout.updated',
    'payout.reversed',
  ]);
  expect(await balance()).toBe(before);
  expect(await t.control.transfers()).toMatchObject([
    { payout_id: json.id, returned: true, returned_at: expect.any(Number) },
  ]);
});

test('a held payout stays in processing until a control moves it, and only where it can go', async () => {
  await t.control.setFaults({ payouts: { holdRate: 1 } });
  const { json } = await t.payOut(fundAccountId);
  await t.control.settled();
  expect(await payout(json.id)).toMatchObject({ status: 'processing' });
  await expect(t.control.stepPayout(json.id, 'rejected')).rejects.toThrow(/is processing/);
  await t.control.stepPayout(json.id, 'processed');
  await expect(t.control.stepPayout(json.id, 'processed')).rejects.toThrow(/is processed/);
  const reversed = await t.control.stepPayout(json.id, 'reversed', 'bank_account_invalid');
  expect(reversed.status_details.reason).toBe('bank_account_invalid');
  expect(await t.control.transfers()).toHaveLength(1);
});

test('a payout that is reversed straight from processing has left and come back', async () => {
  await t.control.setFaults({ payouts: { holdRate: 1 } });
  const before = await balance();
  const { json } = await t.payOut(fundAccountId);
  await t.control.stepPayout(json.id, 'reversed');
  expect(await t.control.transfers()).toMatchObject([{ payout_id: json.id, returned: true }]);
  expect(await balance()).toBe(before);
});

test('a failed payout can turn out to have left and come back, which moves no balance again', async () => {
  const before = await balance();
  await t.control.setFaults({ payouts: { failRate: 1 } });
  const { json } = await t.payOut(fundAccountId);
  await t.control.settled();
  await t.control.stepPayout(json.id, 'reversed');
  expect((await names(json.id)).slice(1)).toEqual(['payout.failed', 'payout.reversed']);
  expect(await t.control.transfers()).toMatchObject([{ payout_id: json.id, returned: true }]);
  expect(await balance()).toBe(before);
});

test('an approval is waited for, and can be refused', async () => {
  await t.control.setFaults({ payouts: { approvalRate: 1 } });
  const approved = (await t.payOut(fundAccountId)).json;
  const rejected = (await t.payOut(fundAccountId)).json;
  expect([approved.status, rejected.status]).toEqual(['pending', 'pending']);
  await t.control.stepPayout(approved.id, 'processing');
  await t.control.stepPayout(rejected.id, 'rejected');
  await t.control.settled();
  expect(await names(approved.id)).toEqual([
    'payout.pending',
    'payout.initiated',
    'payout.processed',
    'payout.updated',
  ]);
  expect(await names(rejected.id)).toEqual(['payout.pending', 'payout.rejected']);
  expect(await t.control.transfers()).toMatchObject([{ payout_id: approved.id }]);
});
