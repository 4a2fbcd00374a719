// RazorpayX contacts and fund accounts, and whose account the bank says it is.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../test-sandbox.ts';
import { payoutAccountNumberDefault } from './payout-account.ts';

let t: TestSandbox;
beforeAll(async () => {
  t = await startTestSandbox();
});
afterAll(() => t.close());
beforeEach(() => t.control.resetFaults());

const contact = {
  name: 'Asha Rao',
  email: 'asha@example.com',
  contact: '9876543210',
  type: 'vendor',
  reference_id: 'user-1',
};

function validate(fundAccountId: string, more: object = {}) {
  return t.rest('POST', '/fund_accounts/validations', {
    account_number: payoutAccountNumberDefault,
    fund_account: { id: fundAccountId },
    amount: 100,
    currency: 'INR',
    ...more,
  });
}
const validation = async (id: string) =>
  (await t.rest('GET', `/fund_accounts/validations/${id}`)).json;

test('the same contact is not made twice, and is found by its reference', async () => {
  const first = await t.rest('POST', '/contacts', { ...contact, notes: { a: '1' } });
  expect(first.json).toEqual({
    id: expect.stringMatching(/^cont_[A-Za-z0-9]{14}$/),
    entity: 'contact',
    ...contact,
    batch_id: null,
    active: true,
    notes: { a: '1' },
    created_at: expect.any(Number),
  });
  expect((await t.rest('POST', '/contacts', contact)).json).toEqual(first.json);
  const other = await t.rest('POST', '/contacts', { ...contact, reference_id: 'user-2' });
  expect(other.json.id).not.toBe(first.json.id);
  expect((await t.rest('GET', '/contacts?reference_id=user-1')).json.items).toEqual([first.json]);
  expect((await t.rest('GET', `/contacts/${first.json.id}`)).json).toEqual(first.json);
  for (const change of [{ name: undefined }, { name: 'a' }, { email: 'x' }, { contact: '12' }]) {
    expect((await t.rest('POST', '/contacts', { ...contact, ...change })).status).toBe(400);
  }
});

test('a fund account is a bank account or a UPI address of a contact', async () => {
  const { id } = (await t.rest('POST', '/contacts', contact)).json;
  const bank = await t.rest('POST', '/fund_accounts', {
    contact_id: id,
    account_type: 'bank_account',
    bank_account: { name: 'Asha Rao', ifsc: 'hdfc0000053', account_number: '765432123456789' },
  });
  expect(bank.json).toEqual({
    id: expect.stringMatching(/^fa_[A-Za-z0-9]{14}$/),
    entity: 'fund_account',
    contact_id: id,
    account_type: 'bank_account',
    bank_account: {
      ifsc: 'HDFC0000053',
      bank_name: 'HDFC',
      name: 'Asha Rao',
      notes: [],
      account_number: '765432123456789',
    },
    batch_id: null,
    active: true,
    created_at: expect.any(Number),
  });
  const vpaBody = { contact_id: id, account_type: 'vpa', vpa: { address: 'asha.rao@examplebank' } };
  const vpa = await t.rest('POST', '/fund_accounts', vpaBody);
  expect(vpa.json.vpa).toEqual({
    username: 'asha.rao',
    handle: 'examplebank',
    address: 'asha.rao@examplebank',
  });
  expect((await t.rest('POST', '/fund_accounts', vpaBody)).json).toEqual(vpa.json);
  expect((await t.rest('GET', `/fund_accounts/${bank.json.id}`)).json).toEqual(bank.json);
  expect((await t.rest('GET', `/fund_accounts?contact_id=${id}`)).json.count).toBe(2);

  const wrong = [
    { contact_id: 'cont_00000000000000' },
    { account_type: 'card' },
    { account_type: 'bank_account' },
    { vpa: { address: 'nobody' } },
  ];
  for (const change of wrong) {
    const { status } = await t.rest('POST', '/fund_accounts', { ...vpaBody, ...change });
    expect(status, JSON.stringify(change)).toBe(400);
  }
  const badIfsc = await t.rest('POST', '/fund_accounts', {
    contact_id: id,
    account_type: 'bank_account',
    bank_account: { name: 'Asha Rao', ifsc: 'HDFC1000053', account_number: '765432123456789' },
  });
  expect(badIfsc.json.error).toMatchObject({ description: 'Invalid IFSC Code', field: 'ifsc' });
});

test('a validation is created, then completed with the name that the bank knows', async () => {
  const fundAccount = await t.newFundAccount('Asha Rao');
  const { json } = await validate(fundAccount.id, { notes: { user: 'u-1' } });
  expect(json).toEqual({
    id: expect.stringMatching(/^fav_[A-Za-z0-9]{14}$/),
    entity: 'fund_account.validation',
    fund_account: fundAccount,
    status: 'created',
    amount: 100,
    currency: 'INR',
    fees: 0,
    tax: 0,
    notes: { user: 'u-1' },
    results: {
      account_status: null,
      registered_name: null,
      details: null,
      name_match_score: null,
    },
    created_at: expect.any(Number),
    utr: null,
  });
  await t.control.settled();
  const done = await validation(json.id);
  expect(done).toMatchObject({
    status: 'completed',
    results: { account_status: 'active', registered_name: 'Asha Rao', name_match_score: 100 },
    utr: expect.stringMatching(/^\d{12}$/),
  });
  const [event] = await t.control.events(json.id);
  expect(JSON.parse(event?.body ?? '')).toMatchObject({
    event: 'fund_account.validation.completed',
    contains: ['fund_account.validation'],
    payload: { 'fund_account.validation': { entity: done } },
  });
});

test('a validation costs its fee, and a bank account the rupee that was sent to it', async () => {
  const costOf = async (validations: object) => {
    const { balancePaise } = await t.control.payoutAccount();
    await t.control.setFaults({ validations });
    const { json } = await validate((await t.newFundAccount('Asha Rao')).id);
    await t.control.settled();
    const { fees, tax } = await validation(json.id);
    return [balancePaise - (await t.control.payoutAccount()).balancePaise, fees, tax];
  };
  expect(await costOf({})).toEqual([336, 236, 36]);
  expect(await costOf({ invalidRate: 1 })).toEqual([236, 236, 36]);
  expect(await costOf({ invalidRate: 0, failRate: 1 })).toEqual([0, 0, 0]);
});

test.each([
  [
    { registeredName: 'Somebody Else' },
    'completed',
    { account_status: 'active', registered_name: 'Somebody Else', name_match_score: 0 },
  ],
  [{ invalidRate: 1 }, 'completed', { account_status: 'invalid', registered_name: null }],
  [{ failRate: 1 }, 'failed', { account_status: '', registered_name: '' }],
])('with %o it ends %s', async (validations, status, results) => {
  await t.control.setFaults({ validations });
  const { json } = await validate((await t.newFundAccount()).id);
  await t.control.settled();
  expect(await validation(json.id)).toMatchObject({ status, results });
  const [event] = await t.control.events(json.id);
  expect(event?.name).toBe(`fund_account.validation.${status}`);
});

test('a held validation waits for a control, and ends once', async () => {
  await t.control.setFaults({ validations: { holdRate: 1 } });
  const { json } = await validate((await t.newFundAccount()).id);
  await t.control.settled();
  expect((await validation(json.id)).status).toBe('created');
  const ended = await t.control.endValidation(json.id, 'active', 'A. Rao');
  expect(ended.results.registered_name).toBe('A. Rao');
  await expect(t.control.endValidation(json.id, 'invalid')).rejects.toThrow(/is completed/);
});

test('a wrong account, fund account or amount is refused', async () => {
  const { id } = await t.newFundAccount();
  expect((await validate(id, { account_number: '1' })).status).toBe(400);
  expect((await validate('fa_00000000000000')).status).toBe(400);
  expect((await validate(id, { amount: 5_000 })).status).toBe(400);
});
