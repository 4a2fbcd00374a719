// Payouts over HTTP: what a performer can ask for and when, that details stay sealed, and what banks make of it.
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readEarnings, requestPayout, setBan, takePayoutsToSend, verifyBooks } from '#db';
import { newKey, payoutWebhookSecret, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { verifyPayoutAccounts } from '../jobs/payout-accounts.ts';
import { followReversals } from '../jobs/payout-reversals.ts';
import { sendPayouts } from '../jobs/payouts.ts';
import { GatewayRefusal } from '../services/gateway-answer.ts';
import { openDetails } from '../services/payout-details.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
/** Everything that was answered to anybody, headers included. */
const answers: string[] = [];
/** What must be in none of them, nor in the clear anywhere in the database. */
const secrets = new Set<string>();

beforeAll(async () => {
  edge = await startTestEdge();
  const call = edge.call;
  edge.call = async (...request) => {
    const answer = await call(...request);
    answers.push(JSON.stringify([answer.body, [...answer.headers]]));
    return answer;
  };
  cast = createCast(edge);
});
afterEach(() => edge.control.resetFaults());
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

const bank = (changes: object = {}) => ({
  kind: 'bank',
  accountHolder: 'Asha Rao',
  ifsc: 'HDFC0000053',
  accountNumber: digits(15),
  ...changes,
});
const nameless = () => ({
  kind: 'upi',
  address: `${cast.unique('asha').replace('_', '.')}@okaxis`,
});
const upi = () => ({ ...nameless(), accountHolder: 'Asha Rao' });

function digits(count: number): string {
  return Array.from({ length: count }, () => Math.ceil(Math.random() * 9)).join('');
}

function setAccount(who: Member, details: { [name: string]: string }) {
  if (details.accountNumber) secrets.add(details.accountNumber);
  if (details.address) secrets.add(details.address);
  return who.call('PUT', '/v1/payouts/account', { body: details });
}

const overview = async (who: Member) => (await who.call('GET', '/v1/payouts')).body;
const request = (who: Member, amountPaise: unknown, key = newKey()) =>
  who.act('POST', '/v1/payouts', { amountPaise }, key);

async function verifyAccounts(): Promise<void> {
  // The first round asks the bank, the second one hears its answer.
  for (let round = 0; round < 2; round += 1) {
    await edge.database.asOwner(
      `update payout_accounts set next_attempt_at = now() where state = 'pending'`,
    );
    await verifyPayoutAccounts(edge.parts.deps);
    await edge.control.settled();
  }
}

async function send(): Promise<void> {
  await edge.database.asOwner(
    `update payouts set next_attempt_at = now() where state in ('approved', 'sending')`,
  );
  await sendPayouts(edge.parts.deps);
  await edge.control.settled();
}

/** A performer who can ask for so much. */
async function earner(paise = 1_000_000, details: object = upi()): Promise<Member> {
  const performer = await cast.member('performer');
  await setAccount(performer, details as { [name: string]: string });
  await verifyAccounts();
  await cast.earn([performer.id], paise);
  return performer;
}

const moneyOf = async (who: Member) => {
  const { availablePaise, payoutPendingPaise, paidPaise } = await readEarnings(
    edge.database.db,
    who.id,
  );
  return { availablePaise, payoutPendingPaise, paidPaise };
};

describe('where to pay', () => {
  test('details are verified with the bank, known by their mask, and sealed for that performer alone', async () => {
    const performer = await cast.member('performer');
    expect(await overview(performer)).toMatchObject({
      account: null,
      panMask: null,
      blockedBy: 'payout-account-missing',
    });
    const details = bank();
    const set = await setAccount(performer, details);
    expect(set.body).toMatchObject({
      kind: 'bank',
      mask: `HDFC ••••${details.accountNumber.slice(-4)}`,
      state: 'pending',
    });
    expect(await overview(performer)).toMatchObject({ blockedBy: 'payout-account-unverified' });
    await verifyAccounts();
    expect(await overview(performer)).toMatchObject({
      account: { state: 'verified' },
      blockedBy: null,
    });
    const [kept] = await edge.database.asOwner<{ sealed_details: string }>(
      'select sealed_details from payout_accounts where performer_id = $1',
      [performer.id],
    );
    const { vault } = edge.parts.deps;
    expect(await openDetails(vault, performer.id, kept?.sealed_details ?? '')).toEqual(details);
    await expect(openDetails(vault, newKey(), kept?.sealed_details ?? '')).rejects.toThrow();
  });

  test('what is no bank account, UPI address or PAN is refused, and not told back', async () => {
    const wrong: object[] = [
      bank({ ifsc: 'HDFC1000053' }),
      bank({ ifsc: 'HDFC00053' }),
      bank({ accountNumber: '12345678' }),
      bank({ accountNumber: '1234567890123456789' }),
      bank({ accountNumber: '12345678x' }),
      bank({ accountNumber: 765432123456789 }),
      bank({ accountHolder: 'A' }),
      bank({ accountHolder: '<script>' }),
      bank({ extra: 'x' }),
      { kind: 'upi', address: 'asha' },
      { kind: 'upi', address: 'asha@' },
      { kind: 'upi', address: 'asha rao@okaxis' },
      { kind: 'upi', address: `${'a'.repeat(100)}@okaxis` },
      { kind: 'paypal', address: 'asha@okaxis' },
      {},
    ];
    let performer = await cast.member('performer');
    for (const [index, details] of wrong.entries()) {
      // Nobody may try more than ten in a minute.
      if (index % 5 === 0) performer = await cast.member('performer');
      const answer = await performer.call('PUT', '/v1/payouts/account', { body: details });
      expect(refused(answer), JSON.stringify(details)).toEqual([422, 'invalid-request']);
      for (const value of Object.values(details)) {
        if (String(value).length > 8) expect(JSON.stringify(answer.body)).not.toContain(value);
      }
    }
    expect(await overview(performer)).toMatchObject({ account: null, panMask: null });
    for (const pan of ['ABCDE1234F', 'ABCP1234F', 'abcpe12345', '', 12345]) {
      const answer = await performer.call('PUT', '/v1/payouts/tax-profile', { body: { pan } });
      expect(refused(answer), String(pan)).toEqual([422, 'invalid-request']);
    }
    expect(await overview(performer)).toMatchObject({ account: null, panMask: null });
  });

  test('only performers have anything to do with payouts', async () => {
    const viewer = await cast.member();
    for (const [method, path, body] of [
      ['GET', '/v1/payouts', undefined],
      ['POST', '/v1/payouts', { amountPaise: 1 }],
      ['PUT', '/v1/payouts/account', bank()],
      ['PUT', '/v1/payouts/tax-profile', { pan: 'ABCPE1234F' }],
    ] as const) {
      const options = body ? { body } : {};
      expect(refused(await viewer.call(method, path, options)), path).toEqual([403, 'forbidden']);
      expect(refused(await edge.call(method, path, options)), path).toEqual([
        401,
        'unauthenticated',
      ]);
    }
  });

  test('a PAN is kept once, masked, and lowers the tax', async () => {
    const performer = await earner();
    const tax = { section: '194-O', rateWithPanBp: 10, rateWithoutPanBp: 500, thresholdPaise: 0 };
    expect(await overview(performer)).toMatchObject({
      panMask: null,
      tax: { ...tax, yearPaise: 0, availableTdsPaise: 50_000 },
    });
    secrets.add('QRSPT5678U');
    const set = (pan: string, who = performer) =>
      who.call('PUT', '/v1/payouts/tax-profile', { body: { pan } });
    expect((await set('qrspt5678u')).status).toBe(204);
    // Again, it is the same answer; another one is for staff.
    expect((await set('QRSPT5678U')).status).toBe(204);
    const other = await set('ABCPX9999F');
    expect(refused(other)).toEqual([409, 'already-decided']);
    expect(other.body.detail).toContain('given once');
    const told = await edge.database.asOwner(
      `select from audit_log where subject = $1 and action = 'tax-profile.given'`,
      [performer.id],
    );
    expect(told).toHaveLength(1);
    const stranger = await cast.member('performer');
    expect(refused(await set('QRSPT5678U', stranger))).toEqual([409, 'pan-taken']);
    expect(await cast.suspicions(stranger.id)).toEqual(['payout.pan-taken']);
    expect(await overview(performer)).toMatchObject({
      panMask: 'QRS••••••U',
      tax: { ...tax, availableTdsPaise: 1_000 },
    });
    const { body } = await request(performer, 100_000);
    expect(body).toMatchObject({ tdsPaise: 100, netPaise: 99_900, tdsRateBp: 10 });
    expect((await overview(performer)).tax).toMatchObject({
      yearPaise: 100_000,
      availableTdsPaise: 900,
    });
    // A sealed tax number does not open where bank details belong.
    const [row] = await edge.database.asOwner<{ sealed_pan: string }>(
      'select sealed_pan from tax_profiles where user_id = $1',
      [performer.id],
    );
    await expect(
      openDetails(edge.parts.deps.vault, performer.id, row?.sealed_pan ?? ''),
    ).rejects.toMatchObject({ code: 'not-authentic' });
  });

  test.each([
    [{ invalidRate: 1 }, 'The bank says that there is no such account.'],
    [{ failRate: 1 }, 'The bank could not check this account.'],
    [{ registeredName: 'Somebody Else' }, 'The bank knows this account under another name.'],
  ])('an account of which the bank says %o is not paid to', async (validations, failure) => {
    await edge.control.setFaults({ validations });
    const performer = await earner(1_000_000, bank());
    expect(await overview(performer)).toMatchObject({
      account: { state: 'failed', failure },
      blockedBy: 'payout-account-unverified',
    });
    const answer = await request(performer, 100_000);
    expect(refused(answer)).toEqual([409, 'payout-account-unverified']);
  });

  test.each([
    ['bank', { registeredName: 'Asha Kumari Rao' }],
    ['bank', { registeredName: '' }],
    ['upi', { registeredName: 'Asha Kumari Rao' }],
    ['upi', { registeredName: '' }],
    ['upi without a name', {}],
    ['upi without a name', { registeredName: '' }],
  ])(
    '%s: a name that is nearly the same or is not told, %o, is for a person to decide',
    async (kind, validations) => {
      await edge.control.setFaults({ validations });
      const details = kind === 'bank' ? bank() : kind === 'upi' ? upi() : nameless();
      const performer = await earner(1_000_000, details);
      const { account, blockedBy } = await overview(performer);
      expect([account.state, blockedBy]).toEqual(['verified', 'payout-on-hold']);
      expect(await cast.cases(account.id)).toEqual(['payout-name-close']);
      expect(refused(await request(performer, 100_000))).toEqual([409, 'payout-on-hold']);
      const [hold] = await edge.database.asOwner<{ id: string }>(
        'select id from payout_holds where performer_id = $1',
        [performer.id],
      );
      const staff = await cast.member('admin');
      await staff.call('POST', `/v1/admin/payout-holds/${hold?.id}/lifting`);
      expect((await request(performer, 100_000)).status).toBe(201);
    },
  );

  test('a UPI address that the bank knows by the name that was given is paid to, and by another one not', async () => {
    expect(await overview(await earner())).toMatchObject({
      account: { state: 'verified' },
      blockedBy: null,
    });
    await edge.control.setFaults({ validations: { registeredName: 'Somebody Else' } });
    const failure = 'The bank knows this account under another name.';
    expect(await overview(await earner())).toMatchObject({
      account: { state: 'failed', failure },
      blockedBy: 'payout-account-unverified',
    });
  });

  test('a bank that does not answer is asked again, and one rupee is enough', async () => {
    const performer = await cast.member('performer');
    const { balancePaise: before } = await edge.control.payoutAccount();
    await edge.control.setFaults({
      answers: {
        rules: [
          { fault: 'cut-after', path: '/v1/contacts', times: 1 },
          { fault: 'error-after', path: '/v1/fund_accounts', method: 'POST', times: 1 },
          { fault: 'cut-after', path: '/v1/fund_accounts/validations', method: 'POST', times: 1 },
        ],
      },
    });
    await setAccount(performer, bank());
    await verifyAccounts();
    await verifyAccounts();
    expect(await overview(performer)).toMatchObject({ account: { state: 'verified' } });
    const { balancePaise: after } = await edge.control.payoutAccount();
    expect(before - after).toBe(336);
  });

  test.each([
    [bank, {}, { bank: -336, payout_fees: 300, gst_input: 36 }],
    [bank, { invalidRate: 1 }, { bank: -236, payout_fees: 200, gst_input: 36 }],
    [bank, { failRate: 1 }, {}],
    [upi, {}, { bank: -236, payout_fees: 200, gst_input: 36 }],
  ])(
    'what the check of %o costs when the bank says %o is booked as the gateway takes it',
    async (details, validations, lines) => {
      const { balancePaise: before } = await edge.control.payoutAccount();
      await edge.control.setFaults({ validations });
      const performer = await cast.member('performer');
      await setAccount(performer, details() as { [name: string]: string });
      await verifyAccounts();
      await verifyAccounts();
      const { account } = await overview(performer);
      const rows = await edge.database.asOwner<{ class: string; amount: string }>(
        `select a.class, e.amount from ledger.journal j
        join ledger.entries e on e.journal_id = j.id
        join ledger.accounts a on a.id = e.account_id
        where j.kind = 'validation-paid' and j.result->>'payoutAccountId' = $1`,
        [account.id],
      );
      const booked = Object.fromEntries(rows.map((row) => [row.class, Number(row.amount)]));
      expect(booked).toEqual(lines);
      const { balancePaise: after } = await edge.control.payoutAccount();
      expect(after - before).toBe(booked.bank ?? 0);
    },
  );

  test('what a check costs is booked when its account is replaced meanwhile, and nobody is held for it', async () => {
    const performer = await cast.member('performer');
    const { balancePaise: before } = await edge.control.payoutAccount();
    await edge.control.setFaults({ validations: { registeredName: 'Asha Kumari Rao' } });
    await setAccount(performer, bank());
    await edge.database.asOwner(
      `update payout_accounts set next_attempt_at = now() where state = 'pending'`,
    );
    await verifyPayoutAccounts(edge.parts.deps);
    await edge.control.settled();
    await edge.control.setFaults({ validations: { registeredName: null } });
    await setAccount(performer, upi());
    // Replaced before anybody has looked at it: no check of it was begun.
    await setAccount(performer, upi());
    for (let round = 0; round < 3; round += 1) {
      await edge.database.asOwner(
        'update payout_accounts set next_attempt_at = now() where next_attempt_at is not null',
      );
      await verifyPayoutAccounts(edge.parts.deps);
      await edge.control.settled();
    }
    const rows = await edge.database.asOwner<{ state: string; waits: boolean; paise: string }>(
      `select a.state, a.next_attempt_at is not null as waits, coalesce(sum(-e.amount), 0) as paise
        from payout_accounts a
        left join ledger.journal j on j.kind = 'validation-paid' and j.result->>'payoutAccountId' = a.id::text
        left join ledger.entries e
          on e.journal_id = j.id and e.account_id = ledger.known_account('bank', null)
        where a.performer_id = $1 group by a.id order by a.created_at`,
      [performer.id],
    );
    expect(rows).toEqual([
      { state: 'replaced', waits: false, paise: '336' },
      { state: 'replaced', waits: false, paise: '0' },
      { state: 'verified', waits: false, paise: '236' },
    ]);
    const { balancePaise: after } = await edge.control.payoutAccount();
    expect(before - after).toBe(336 + 236);
    expect(await overview(performer)).toMatchObject({ blockedBy: 'payout-details-on-hold' });
  });

  test('the same details again change nothing; other ones wait before they are paid to', async () => {
    const details = upi();
    const performer = await earner(1_000_000, details);
    const before = await overview(performer);
    await setAccount(performer, details);
    expect((await overview(performer)).account).toEqual(before.account);
    expect(before.blockedBy).toBeNull();

    await setAccount(performer, upi());
    await verifyAccounts();
    const after = await overview(performer);
    expect(after).toMatchObject({
      account: { state: 'verified' },
      blockedBy: 'payout-details-on-hold',
    });
    const hours = (Date.parse(after.account.usableFrom) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(71.9);
    const answer = await request(performer, 100_000);
    expect(refused(answer)).toEqual([409, 'payout-details-on-hold']);
    expect(await cast.suspicions(performer.id)).toEqual(['payout.payout-details-on-hold']);
    await edge.database.asOwner(
      `update payout_accounts set usable_from = now() where performer_id = $1`,
      [performer.id],
    );
    expect((await request(performer, 100_000)).status).toBe(201);
  });
});

describe('asking', () => {
  test('what is available leaves at once; the same key asks once', async () => {
    const performer = await earner();
    const key = newKey();
    const [one, two] = await Promise.all([
      request(performer, 400_000, key),
      request(performer, 400_000, key),
    ]);
    expect([one.status, two.status]).toEqual([201, 201]);
    expect(one.body).toEqual(two.body);
    expect(one.body).toMatchObject({ amountPaise: 400_000, state: 'approved' });
    expect(await moneyOf(performer)).toMatchObject({
      availablePaise: 600_000,
      payoutPendingPaise: 400_000,
    });
    expect(refused(await request(performer, 400_001, key))).toEqual([
      409,
      'idempotency-key-reused',
    ]);
  });

  test('more than is available, too little, or no amount at all is refused', async () => {
    const performer = await earner(100_000);
    const wrong: [unknown, number, string][] = [
      [100_001, 409, 'insufficient-earnings'],
      [49_999, 409, 'payout-too-small'],
      [0, 422, 'invalid-request'],
      [-100_000, 422, 'invalid-request'],
      [50_000.5, 422, 'invalid-request'],
      ['100000', 422, 'invalid-request'],
      [1_000_000_001, 422, 'invalid-request'],
      [null, 422, 'invalid-request'],
    ];
    for (const [amount, status, code] of wrong) {
      expect(refused(await request(performer, amount)), String(amount)).toEqual([status, code]);
    }
    const keyless = await performer.call('POST', '/v1/payouts', { body: { amountPaise: 60_000 } });
    expect(refused(keyless)).toEqual([400, 'missing-idempotency-key']);
    expect(await cast.suspicions(performer.id)).toEqual(['payout.insufficient-earnings']);
    expect(await moneyOf(performer)).toMatchObject({ availablePaise: 100_000 });
  });

  test('more than a UPI address is sent at once is refused with the limit; to a bank account it goes', async () => {
    const performer = await earner(200_000_000);
    // A twentieth is kept back: what is sent is just as much as UPI carries.
    const most = 10_526_315;
    const answer = await request(performer, most + 1);
    expect(refused(answer)).toEqual([409, 'payout-too-large']);
    expect(answer.body).toMatchObject({
      netPaise: 10_000_001,
      maxNetPaise: 10_000_000,
      detail: expect.stringContaining('₹1,00,000 at once, after tax'),
    });
    expect((await overview(performer)).maxNetPaise).toBe(10_000_000);
    expect(await moneyOf(performer)).toMatchObject({ availablePaise: 200_000_000 });
    expect((await request(performer, most)).body).toMatchObject({ netPaise: 10_000_000 });

    const other = await earner(200_000_000, bank());
    expect(await overview(other)).not.toHaveProperty('maxNetPaise');
    expect((await request(other, most + 1)).status).toBe(201);
  });

  test('asked for all at once, no more is asked for than there is', async () => {
    const performer = await earner(175_000);
    const asked = await Promise.all(Array.from({ length: 8 }, () => request(performer, 50_000)));
    expect(asked.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(await moneyOf(performer)).toEqual({
      availablePaise: 25_000,
      payoutPendingPaise: 150_000,
      paidPaise: 0,
    });
  });

  test('without an account, unverified, on hold or banned nothing can be asked for', async () => {
    const staff = await cast.member('admin');
    const stranger = await cast.member('performer');
    await cast.earn([stranger.id], 100_000);
    expect(refused(await request(stranger, 100_000))).toEqual([409, 'payout-account-missing']);
    await setAccount(stranger, upi());
    expect(refused(await request(stranger, 100_000))).toEqual([409, 'payout-account-unverified']);

    const performer = await earner();
    const hold = await staff.call('POST', '/v1/admin/payout-holds', {
      body: { performerId: performer.id, reason: 'a question' },
    });
    expect(refused(await request(performer, 100_000))).toEqual([409, 'payout-on-hold']);
    await staff.call('POST', `/v1/admin/payout-holds/${hold.body.id}/lifting`);
    await setBan(edge.database.db, {
      userId: performer.id,
      staffId: staff.id,
      banned: true,
      reason: 'x',
    });
    expect(refused(await request(performer, 100_000))).toEqual([403, 'account-banned']);
    expect(await cast.suspicions(performer.id)).toEqual(['payout.account-banned']);
  });
});

describe('the bank', () => {
  const webhook = (event: string, payout: object) => {
    const body = JSON.stringify({ event, payload: { payout: { entity: payout } } });
    return edge.call('POST', '/v1/payments/webhooks/razorpayx', {
      body,
      headers: {
        'x-razorpay-signature': createHmac('sha256', payoutWebhookSecret)
          .update(body)
          .digest('hex'),
        'x-razorpay-event-id': newKey(),
      },
    });
  };
  const stateOf = async (who: Member) =>
    (await overview(who)).payouts.map(({ state }: { state: string }) => state);

  test('a payout is sent, paid and told of, with the bank’s number', async () => {
    const performer = await earner();
    const { body } = await request(performer, 100_000);
    await send();
    const [paid] = (await overview(performer)).payouts;
    expect(paid).toMatchObject({
      id: body.id,
      state: 'paid',
      netPaise: 95_000,
      tdsPaise: 5_000,
      utr: expect.stringMatching(/^\d{12}$/),
    });
    expect(await edge.control.transfers({ reference_id: body.id })).toMatchObject([
      { amount: 95_000 },
    ]);
    expect(await moneyOf(performer)).toEqual({
      availablePaise: 900_000,
      payoutPendingPaise: 0,
      paidPaise: 100_000,
    });
  });

  test('many payouts come in pages that leave nothing out and show nothing twice', async () => {
    const performer = await earner(60 * 50_000);
    const asked: string[] = [];
    for (let turn = 0; turn < 60; turn += 1) {
      const { id } = await requestPayout(edge.database.db, {
        performerId: performer.id,
        amountPaise: 50_000,
        idempotencyKey: newKey(),
      });
      asked.push(id);
    }
    // Ids of one millisecond are in no order.
    asked.sort().reverse();
    const first = await overview(performer);
    const shown = [...first.payouts];
    for (let cursor = first.nextCursor; cursor !== null; ) {
      const { body } = await performer.call('GET', `/v1/payouts/earlier?cursor=${cursor}`);
      shown.push(...body.payouts);
      cursor = body.nextCursor;
    }
    expect(first.payouts.length).toBeLessThan(asked.length);
    expect(shown.map(({ id }) => id)).toEqual(asked);
    const stranger = await earner();
    const theirs = await stranger.call('GET', `/v1/payouts/earlier?cursor=${first.nextCursor}`);
    expect(theirs.body).toEqual({ payouts: [], nextCursor: null });
    const wrong = await performer.call('GET', '/v1/payouts/earlier?cursor=first');
    expect(refused(wrong)).toEqual([422, 'invalid-request']);
  });

  test.each([
    ['failed', { failRate: 1 }],
    ['reversed', { reverseRate: 1 }],
  ] as const)('a payout that is %s gives the money back', async (state, payouts) => {
    const performer = await earner();
    await edge.control.setFaults({ payouts });
    const { body } = await request(performer, 100_000);
    await send();
    await send();
    const [ended] = (await overview(performer)).payouts;
    expect(ended.state).toBe(state);
    expect(ended.failure).toEqual(expect.any(String));
    expect(await moneyOf(performer)).toEqual({
      availablePaise: 1_000_000,
      payoutPendingPaise: 0,
      paidPaise: 0,
    });
    expect(await cast.cases(body.id)).toEqual([`payout-${state}`]);
  });

  test('webhooks out of order, repeated, reversed before processed: the money is back once', async () => {
    const performer = await earner();
    await edge.control.setFaults({ payouts: { holdRate: 1 }, webhooks: { mode: 'manual' } });
    const { body } = await request(performer, 100_000);
    await send();
    const [sent] = (await edge.parts.deps.payouts?.findPayouts({ referenceId: body.id })) ?? [];
    const id = sent?.id ?? '';
    await edge.control.stepPayout(id, 'processed');
    await edge.control.stepPayout(id, 'reversed');
    const events = (await edge.control.events(id)).toReversed();
    expect(events.map(({ name }) => name)).toEqual([
      'payout.reversed',
      'payout.updated',
      'payout.processed',
      'payout.initiated',
    ]);
    const ids = events.map((event) => event.id);
    expect(await edge.control.deliverInOrder([...ids, ...ids])).toEqual(Array(8).fill(200));
    expect(await stateOf(performer)).toEqual(['reversed']);
    expect(await moneyOf(performer)).toEqual({
      availablePaise: 1_000_000,
      payoutPendingPaise: 0,
      paidPaise: 0,
    });
    await send();
    expect(await edge.control.transfers({ reference_id: body.id })).toMatchObject([
      { returned: true },
    ]);
  });

  test('every order of processed, updated and reversed ends with the money where it is', async () => {
    const names = ['payout.initiated', 'payout.processed', 'payout.updated', 'payout.reversed'];
    for (const order of [
      [0, 1, 2, 3],
      [1, 0, 3, 2],
      [3, 1, 0, 2],
      [1, 3, 0, 2],
      [2, 3, 1, 0],
    ]) {
      const performer = await earner();
      await edge.control.setFaults({ payouts: { holdRate: 1 }, webhooks: { mode: 'manual' } });
      const { body } = await request(performer, 100_000);
      await send();
      const [sent] = (await edge.parts.deps.payouts?.findPayouts({ referenceId: body.id })) ?? [];
      await edge.control.stepPayout(sent?.id ?? '', 'processed');
      await edge.control.stepPayout(sent?.id ?? '', 'reversed');
      const events = await edge.control.events(sent?.id);
      const ids = order.map((place) => events.find(({ name }) => name === names[place])?.id ?? '');
      await edge.control.deliverInOrder(ids);
      expect(await moneyOf(performer), String(order)).toEqual({
        availablePaise: 1_000_000,
        payoutPendingPaise: 0,
        paidPaise: 0,
      });
      await edge.control.resetFaults();
    }
  });

  test('a payout that came back, and whose webhook was lost for ever, is found', async () => {
    const performer = await earner();
    await edge.control.setFaults({
      webhooks: { events: ['payout.reversed'], mode: 'manual' },
      payouts: { reverseRate: 1 },
    });
    await request(performer, 100_000);
    await send();
    expect(await stateOf(performer)).toEqual(['paid']);
    expect(await moneyOf(performer)).toMatchObject({ paidPaise: 100_000 });
    await followReversals(edge.parts.deps);
    await followReversals(edge.parts.deps);
    expect(await stateOf(performer)).toEqual(['reversed']);
    expect(await moneyOf(performer)).toEqual({
      availablePaise: 1_000_000,
      payoutPendingPaise: 0,
      paidPaise: 0,
    });
  });

  test('a webhook of another amount, of another payout or of nobody’s changes nothing', async () => {
    const performer = await earner();
    await edge.control.setFaults({ payouts: { holdRate: 1 } });
    const { body } = await request(performer, 100_000);
    await send();
    const [sent] = (await edge.parts.deps.payouts?.findPayouts({ referenceId: body.id })) ?? [];
    for (const [changes, refusal] of [
      [{ amount: 94_999 }, 'payment-mismatch'],
      [{ currency: 'USD' }, 'payment-mismatch'],
      [{ id: 'pout_other' }, 'payment-mismatch'],
      [{ id: 'pout_nobody', reference_id: null }, 'not-found'],
      [{ status: 'melted' }, 'malformed-body'],
    ] as const) {
      const payout = { ...sent, status: 'processed', ...changes };
      const answer = await webhook('payout.processed', payout);
      expect(answer.status).toBe(200);
      expect(answer.body, JSON.stringify(changes)).toMatchObject({ applied: false, refusal });
    }
    expect(await stateOf(performer)).toEqual(['sending']);
    expect(await moneyOf(performer)).toMatchObject({ payoutPendingPaise: 100_000, paidPaise: 0 });
  });

  test('large ones go the way that carries them', async () => {
    const performer = await earner(200_000_000, bank());
    const staff = [await cast.member('admin'), await cast.member('admin')];
    const { body } = await request(performer, 100_000_000);
    for (const one of staff) await one.call('POST', `/v1/admin/payouts/${body.id}/approval`);
    await send();
    expect(await stateOf(performer)).toEqual(['paid']);
    expect(await edge.control.transfers({ reference_id: body.id })).toMatchObject([
      { mode: 'NEFT', amount: 95_000_000 },
    ]);
  });

  test('what the bank will never carry is available again', async () => {
    const performer = await earner(200_000_000);
    const staff = [await cast.member('admin'), await cast.member('admin')];
    // As if the rule allowed more than UPI carries at once.
    await cast.setRule('upi_payout_max_paise', 50_000_000);
    const { body } = await request(performer, 50_000_000);
    await cast.setRule('upi_payout_max_paise', 10_000_000);
    for (const one of staff) await one.call('POST', `/v1/admin/payouts/${body.id}/approval`);
    await send();
    expect(await stateOf(performer)).toEqual(['failed']);
    expect(await moneyOf(performer)).toMatchObject({ availablePaise: 200_000_000 });
    expect(await edge.control.transfers({ reference_id: body.id })).toEqual([]);
  });

  test('one whose outcome stayed in the dark until its key is old is not sent again', async () => {
    const performer = await earner();
    await edge.control.setFaults({
      answers: { rules: [{ fault: 'cut-before', method: 'POST', path: '/v1/payouts', times: 1 }] },
    });
    const { body } = await request(performer, 100_000);
    await send();
    await edge.database.asOwner(
      `update payouts set first_attempt_at = now() - interval '4 days' where id = $1`,
      [body.id],
    );
    await send();
    expect(await stateOf(performer)).toEqual(['sending']);
    expect(await cast.cases(body.id)).toEqual(['payout-too-old-to-send']);
    expect(await edge.control.transfers({ reference_id: body.id })).toEqual([]);
  });

  test('one that waited long for its approval, and whose first answer was lost, is sent', async () => {
    const performer = await earner();
    await edge.control.setFaults({
      answers: { rules: [{ fault: 'cut-before', method: 'POST', path: '/v1/payouts', times: 1 }] },
    });
    const { body } = await request(performer, 100_000);
    await edge.database.asOwner(
      `update payouts set created_at = now() - interval '6 days', approved_at = now() - interval '5 days'
        where id = $1`,
      [body.id],
    );
    await send();
    await send();
    expect(await stateOf(performer)).toEqual(['paid']);
  });

  test('a gateway that refuses to search has not said that nothing left', async () => {
    const performer = await earner();
    await edge.control.setFaults({
      webhooks: { mode: 'manual' },
      answers: { rules: [{ fault: 'cut-after', method: 'POST', path: '/v1/payouts', times: 1 }] },
    });
    await request(performer, 100_000);
    await send();
    const { deps } = edge.parts;
    const findPayouts = () =>
      Promise.reject(new GatewayRefusal(400, { description: 'no', reason: null, field: null }));
    await edge.database.asOwner('update payouts set next_attempt_at = now()');
    await sendPayouts({ ...deps, payouts: deps.payouts && { ...deps.payouts, findPayouts } });
    expect(await stateOf(performer)).toEqual(['sending']);
    await send();
    expect(await stateOf(performer)).toEqual(['paid']);
  });

  test('one that the bank shows without our reference is the one that was asked about', async () => {
    const performer = await earner();
    await edge.control.setFaults({ webhooks: { mode: 'manual' } });
    const { body } = await request(performer, 100_000);
    const { deps } = edge.parts;
    const bank = deps.payouts;
    if (!bank) throw new Error('no bank');
    const pay: typeof bank.pay = async (asked) => ({
      ...(await bank.pay(asked)),
      reference_id: null,
    });
    await sendPayouts({ ...deps, payouts: { ...bank, pay } });
    await edge.control.settled();
    await send();
    expect(await stateOf(performer)).toEqual(['paid']);
    const [made] = await bank.findPayouts({ referenceId: body.id });
    expect(await cast.cases(made?.id ?? '')).toEqual([]);
  });

  test('a gateway that refuses a question has not said that one that is on its way came to nothing', async () => {
    const performer = await earner();
    await edge.control.setFaults({ payouts: { holdRate: 1 }, webhooks: { mode: 'manual' } });
    const { body } = await request(performer, 100_000);
    await send();
    const { deps } = edge.parts;
    const fetchPayout = () =>
      Promise.reject(new GatewayRefusal(400, { description: 'no', reason: null, field: null }));
    await edge.database.asOwner('update payouts set next_attempt_at = now() where id = $1', [
      body.id,
    ]);
    await sendPayouts({ ...deps, payouts: deps.payouts && { ...deps.payouts, fetchPayout } });
    expect(await stateOf(performer)).toEqual(['sending']);
    expect(await moneyOf(performer)).toMatchObject({ payoutPendingPaise: 100_000 });
    expect(await cast.cases(`refused_${body.id}`)).toEqual([]);
  });

  describe('held after an attempt whose outcome is in the dark', () => {
    async function inTheDark(fault: 'cut-before' | 'cut-after') {
      const performer = await earner();
      await edge.control.setFaults({
        webhooks: { mode: 'manual' },
        answers: { rules: [{ fault, method: 'POST', path: '/v1/payouts', times: 1 }] },
      });
      const { body } = await request(performer, 100_000);
      await send();
      const { staff, holdId } = await heldBy(performer);
      return { performer, staff, holdId, id: body.id as string };
    }

    async function heldBy(performer: Member) {
      const staff = await cast.member('admin');
      const { body } = await staff.call('POST', '/v1/admin/payout-holds', {
        body: { performerId: performer.id, reason: 'a ring' },
      });
      return { staff, holdId: body.id as string };
    }

    test('it is looked for and not sent; when the hold is lifted it is paid once', async () => {
      const { performer, staff, holdId, id } = await inTheDark('cut-before');
      await send();
      await send();
      expect(await stateOf(performer)).toEqual(['sending']);
      expect(await cast.cases(id)).toEqual(['payout-held-in-doubt']);
      expect(await edge.control.transfers({ reference_id: id })).toEqual([]);
      await staff.call('POST', `/v1/admin/payout-holds/${holdId}/lifting`);
      await send();
      await send();
      expect(await stateOf(performer)).toEqual(['paid']);
      expect(await cast.cases(id)).toEqual([]);
      expect(await edge.control.transfers({ reference_id: id })).toHaveLength(1);
    });

    test('it is followed to its end when it did leave', async () => {
      const { performer, id } = await inTheDark('cut-after');
      await send();
      expect(await stateOf(performer)).toEqual(['paid']);
      expect(await edge.control.transfers({ reference_id: id })).toHaveLength(1);
    });

    test('one that was never sent, taken or not, is refused', async () => {
      const performer = await earner();
      const { body } = await request(performer, 100_000);
      await takePayoutsToSend(edge.database.db, 100);
      const { staff } = await heldBy(performer);
      await send();
      const answer = await staff.call('POST', `/v1/admin/payouts/${body.id}/rejection`, {
        body: { reason: 'a ring' },
      });
      expect(answer.body).toMatchObject({ state: 'rejected' });
      expect(await edge.control.transfers({ reference_id: body.id })).toEqual([]);
    });
  });
});

test('no answer to anybody, and no row in the clear, holds the details of an account or a tax number', async () => {
  const staff = await cast.member('admin');
  for (const path of [
    'payouts',
    'payout-holds',
    'audit',
    'cases',
    'cases?kind=payout-failed',
    'rules',
  ]) {
    expect((await staff.call('GET', `/v1/admin/${path}`)).status, path).toBe(200);
  }
  expect(secrets.size).toBeGreaterThan(20);
  expect(answers.length).toBeGreaterThan(100);
  for (const secret of secrets) {
    for (const answer of answers) {
      expect(answer.toLowerCase()).not.toContain(secret.toLowerCase());
    }
  }
  const tables = await edge.database.asOwner<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname in ('public', 'ledger')`,
  );
  for (const { name } of tables) {
    const rows = await edge.database.asOwner<{ found: string }>(
      `select s as found from ${name} t, unnest($1::text[]) s
        where lower(t::text) like '%' || lower(s) || '%'`,
      [[...secrets]],
    );
    expect(rows, name).toEqual([]);
  }
});
