import { expect, test } from 'vitest';
import type { PayoutDetails } from '#contract';
import { refusalOf } from '../testing/refusal.ts';
import { ApiError } from './api-error.ts';
import { createPayoutDetails } from './payout-details.ts';

function createScene(refusal?: ApiError) {
  const sent: unknown[] = [];
  let changes = 0;
  const details = createPayoutDetails({
    money: {
      async setPayoutAccount(body: PayoutDetails) {
        if (refusal) throw refusal;
        sent.push(body);
        return {
          id: 'a1',
          kind: body.kind,
          mask: 'HDFC ••••6789',
          state: 'pending',
          failure: null,
          usableFrom: '2026-04-02T10:00:00Z',
          createdAt: '2026-04-02T10:00:00Z',
        };
      },
      async setTaxProfile(body) {
        sent.push(body);
      },
    },
    onChanged: async () => {
      changes += 1;
    },
  });
  return { details, sent, changes: () => changes };
}

function fillBank({ details }: ReturnType<typeof createScene>, again = '123456789'): void {
  const { typed } = details.bank;
  typed.accountHolder.value = ' Asha Rao ';
  typed.ifsc.value = 'hdfc0001234';
  typed.accountNumber.value = '1234 5678 9';
  typed.accountNumberAgain.value = again;
}

test('a bank account is sent as the contract wants it, and no trace of it stays in the form', async () => {
  const scene = createScene();
  const { details, sent, changes } = scene;
  details.open('account');
  fillBank(scene);
  await details.saveAccount();
  expect(sent).toEqual([
    { kind: 'bank', accountHolder: 'Asha Rao', ifsc: 'HDFC0001234', accountNumber: '123456789' },
  ]);
  expect(details.saved.value).toBe('account');
  expect(details.editing.value).toBeNull();
  expect(Object.values(details.bank.typed).map((text) => text.value)).toEqual(['', '', '', '']);
  expect(changes()).toBe(1);
});

test('what does not fit is said beside its field: holder, IFSC, number, and a number that differs', async () => {
  const scene = createScene();
  const { details, sent } = scene;
  await details.saveAccount();
  expect(Object.keys(details.bank.faults.value)).toEqual([
    'accountHolder',
    'ifsc',
    'accountNumber',
  ]);
  fillBank(scene, '123456780');
  await details.saveAccount();
  expect(Object.keys(details.bank.faults.value)).toEqual(['accountNumberAgain']);
  expect(sent).toEqual([]);
});

test('a UPI address and a PAN are read as people write them', async () => {
  const { details, sent } = createScene();
  details.kind.value = 'upi';
  details.upi.typed.address.value = 'Asha.Rao';
  await details.saveAccount();
  expect(Object.keys(details.upi.faults.value)).toEqual(['accountHolder', 'address']);
  details.upi.typed.accountHolder.value = 'Asha Rao';
  details.upi.typed.address.value = ' Asha.Rao@OkAxis ';
  await details.saveAccount();
  details.pan.typed.pan.value = 'abcpe 1234 f';
  await details.savePan();
  expect(sent).toEqual([
    { kind: 'upi', accountHolder: 'Asha Rao', address: 'asha.rao@okaxis' },
    { pan: 'ABCPE1234F' },
  ]);
  expect(details.saved.value).toBe('pan');
});

test('a refusal leaves what was typed, and says why', async () => {
  const scene = createScene(new ApiError('unavailable', 503, null, 'down'));
  const { details, changes } = scene;
  details.open('account');
  fillBank(scene);
  await details.saveAccount();
  expect(details.bank.fault.value).not.toBeNull();
  expect(details.bank.typed.ifsc.value).toBe('hdfc0001234');
  expect(details.editing.value).toBe('account');
  expect(changes()).toBe(0);
});

test('details whose second factor was declined stay typed, and the form says what they need', async () => {
  const scene = createScene(refusalOf('step-up-needed'));
  const { details, changes } = scene;
  details.open('account');
  fillBank(scene);
  await details.saveAccount();
  expect(details.editing.value).toBe('account');
  expect(details.bank.needsProof.value).toBe(true);
  expect(details.bank.typed.accountNumber.value).toBe('1234 5678 9');
  expect(changes()).toBe(0);
  details.close();
  expect(details.bank.needsProof.value).toBe(false);
});
