// Ending a payout that grew too old to send, over HTTP: the gateway is asked first, and nothing is ever paid twice.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readEarnings, verifyBooks } from '#db';
import { sandboxAccountNumber } from '../../scripts/launch/environment.ts';
import {
  gatewayKeyId,
  gatewayKeySecret,
  newKey,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { verifyPayoutAccounts } from '../jobs/payout-accounts.ts';
import { sendPayouts } from '../jobs/payouts.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';
import { GatewayRefusal } from './gateway-answer.ts';
import { endPayout } from './payout-ending.ts';

let edge: TestEdge;
let cast: Cast;
let one: Member;
let other: Member;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  [one, other] = [await cast.member('admin'), await cast.member('admin')];
  await edge.control.setBalance(1_000_000_000_000);
});
afterEach(() => edge.control.resetFaults());
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

/** Sends what waits; the job's rounds are as long apart as need be. */
async function send(): Promise<void> {
  await edge.database.asOwner(
    `update payouts set next_attempt_at = now() where state in ('approved', 'sending')`,
  );
  await sendPayouts(edge.parts.deps);
  await edge.control.settled();
}

async function earner(): Promise<Member> {
  const performer = await cast.member('performer');
  const address = `${performer.username.replaceAll('_', '.')}@okaxis`;
  await performer.call('PUT', '/v1/payouts/account', {
    body: { kind: 'upi', address, accountHolder: 'Asha Rao' },
  });
  for (let round = 0; round < 2; round += 1) {
    await edge.database.asOwner(
      `update payout_accounts set next_attempt_at = now() where state = 'pending'`,
    );
    await verifyPayoutAccounts(edge.parts.deps);
    await edge.control.settled();
  }
  await cast.earn([performer.id], 2_000_000);
  return performer;
}

interface Old {
  performer: Member;
  id: string;
  netPaise: number;
  fundAccountId: string;
}

/** A payout whose request was lost on the way, too old to be sent once more, since a day and longer. */
async function tooOld(amountPaise = 100_000): Promise<Old> {
  const performer = await earner();
  const { body } = await performer.act('POST', '/v1/payouts', { amountPaise });
  if (body.state === 'requested') await one.call('POST', `/v1/admin/payouts/${body.id}/approval`);
  await edge.control.setFaults({
    answers: { rules: [{ fault: 'cut-before', method: 'POST', path: '/v1/payouts', times: 1 }] },
  });
  await send();
  await edge.database.asOwner(
    `update payouts set first_attempt_at = now() - interval '4 days', created_at = now() - interval '5 days'
      where id = $1`,
    [body.id],
  );
  await send();
  expect(await cast.cases(body.id)).toEqual(['payout-too-old-to-send']);
  await edge.database.asOwner(
    `update cases set created_at = now() - interval '25 hours' where subject = $1`,
    [body.id],
  );
  const [account] = await edge.database.asOwner<{ id: string }>(
    'select gateway_fund_account_id as id from payout_accounts where performer_id = $1',
    [performer.id],
  );
  return { performer, id: body.id, netPaise: body.netPaise, fundAccountId: account?.id ?? '' };
}

/** Somebody pays at the gateway itself. Answers its id there. */
async function payByHand(old: Old, changes: object = {}): Promise<string> {
  const answer = await fetch(`${edge.sandbox.url}/v1/payouts`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${gatewayKeyId}:${gatewayKeySecret}`)}`,
      'content-type': 'application/json',
      'x-payout-idempotency': newKey(),
    },
    body: JSON.stringify({
      account_number: sandboxAccountNumber,
      fund_account_id: old.fundAccountId,
      amount: old.netPaise,
      currency: 'INR',
      mode: 'UPI',
      purpose: 'payout',
      ...changes,
    }),
  });
  const made = (await answer.json()) as { id: string };
  expect(answer.status, JSON.stringify(made)).toBe(200);
  await edge.control.settled();
  return made.id;
}

const end = (who: Member, old: { id: string }, body: object) =>
  who.call('POST', `/v1/admin/payouts/${old.id}/ending`, { body: { reason: 'looked', ...body } });
const neverSent = (who: Member, old: { id: string }) => end(who, old, { type: 'never-sent' });
const sent = (who: Member, old: { id: string }, gatewayPayoutId: string) =>
  end(who, old, { type: 'sent', gatewayPayoutId });
const moneyOf = async ({ performer }: Old) => {
  const { availablePaise, payoutPendingPaise, paidPaise } = await readEarnings(
    edge.database.db,
    performer.id,
  );
  return { availablePaise, payoutPendingPaise, paidPaise };
};
const waiting = (paise: number) => ({
  availablePaise: 2_000_000 - paise,
  payoutPendingPaise: paise,
  paidPaise: 0,
});
const paid = (paise: number) => ({
  availablePaise: 2_000_000 - paise,
  payoutPendingPaise: 0,
  paidPaise: paise,
});
const returned = waiting(0);
/** Webhooks tell nobody: only what is asked for is known. */
const silent = () => edge.control.setFaults({ webhooks: { mode: 'manual' } });
const transfersTo = async (old: Old) =>
  (await edge.control.transfers()).filter((one) => one.fund_account_id === old.fundAccountId);

describe('it never went out', () => {
  test('the gateway knows none: the money is available again, and can be asked for and paid, once', async () => {
    const old = await tooOld();
    const answer = await neverSent(one, old);
    expect([answer.status, answer.body]).toMatchObject([200, { id: old.id, state: 'failed' }]);
    expect(await moneyOf(old)).toEqual(returned);
    expect(await cast.cases(old.id)).toEqual([]);
    // As often as the job comes by, it is not sent any more.
    await send();
    await old.performer.act('POST', '/v1/payouts', { amountPaise: 100_000 });
    await send();
    expect(await transfersTo(old)).toHaveLength(1);
    expect(await moneyOf(old)).toEqual(paid(100_000));
  });

  test('above the threshold of approval two must say so', async () => {
    const old = await tooOld(600_000);
    expect((await neverSent(one, old)).body.state).toBe('sending');
    expect(refused(await neverSent(one, old))).toEqual([403, 'second-person-needed']);
    expect(await moneyOf(old)).toEqual(waiting(600_000));
    expect((await neverSent(other, old)).body.state).toBe('failed');
    expect(await moneyOf(old)).toEqual(returned);
  });

  test('the gateway has it: refused with its id there, also for the second one; the job follows it', async () => {
    const old = await tooOld(600_000);
    expect((await neverSent(one, old)).body.state).toBe('sending');
    await silent();
    const gatewayPayoutId = await payByHand(old, { reference_id: old.id });
    const answer = await neverSent(other, old);
    expect(refused(answer)).toEqual([409, 'payout-exists']);
    expect(answer.body).toMatchObject({ gatewayPayoutId });
    await send();
    expect(await moneyOf(old)).toEqual(paid(600_000));
    expect(await transfersTo(old)).toHaveLength(1);
    expect(await cast.cases(old.id)).toEqual([]);
  });

  test('a gateway that does not answer, refuses to search, or is not there has not said that there is none', async () => {
    const old = await tooOld();
    for (const fault of ['cut-before', 'error-before'] as const) {
      await edge.control.setFaults({
        answers: { rules: [{ fault, method: 'GET', path: '/v1/payouts' }] },
      });
      const answer = await neverSent(one, old);
      expect(refused(answer), fault).toEqual([503, 'gateway-unavailable']);
    }
    const { deps } = edge.parts;
    const refusing = deps.payouts && {
      ...deps.payouts,
      findPayouts: () =>
        Promise.reject(new GatewayRefusal(400, { description: 'no', reason: null, field: null })),
    };
    const found = { type: 'never-sent', reason: 'looked' } as const;
    for (const payouts of [refusing, null]) {
      await expect(
        endPayout({ ...deps, payouts }, { payoutId: old.id, staffId: one.id, found }),
      ).rejects.toMatchObject({ code: 'gateway-unavailable' });
    }
    expect(await moneyOf(old)).toEqual(waiting(100_000));
  });

  test('its last request is carried out after all: a case, and no second payment', async () => {
    const old = await tooOld();
    await neverSent(one, old);
    await payByHand(old, { reference_id: old.id });
    expect(await cast.cases(old.id)).toEqual(['payout-contradiction']);
    const again = await old.performer.act('POST', '/v1/payouts', { amountPaise: 100_000 });
    expect(refused(again)).toEqual([409, 'payout-on-hold']);
    await send();
    expect(await transfersTo(old)).toHaveLength(1);
  });

  test('one that is young, ended or not there is not for staff to end', async () => {
    const performer = await earner();
    const { body: young } = await performer.act('POST', '/v1/payouts', { amountPaise: 100_000 });
    expect(refused(await neverSent(one, young))).toEqual([409, 'payout-not-in-doubt']);
    await send();
    expect(refused(await neverSent(one, young))).toEqual([409, 'payout-exists']);
    expect(refused(await neverSent(one, { id: newKey() }))).toEqual([404, 'not-found']);
    const old = await tooOld();
    await edge.database.asOwner('update cases set created_at = now() where subject = $1', [old.id]);
    const early = await neverSent(one, old);
    expect(refused(early)).toEqual([409, 'payout-in-doubt']);
    expect(Date.parse(early.body.from)).toBeGreaterThan(Date.now());
  });
});

describe('it went out', () => {
  test.each(['under our reference', 'by hand, without one'])(
    '%s: it is followed to its end, and paid once',
    async (how) => {
      const old = await tooOld(600_000);
      await silent();
      const reference = how === 'under our reference' ? { reference_id: old.id } : {};
      const gatewayPayoutId = await payByHand(old, reference);
      const answer = await sent(one, old, gatewayPayoutId);
      expect([answer.status, answer.body]).toMatchObject([200, { id: old.id, state: 'paid' }]);
      expect((await sent(one, old, gatewayPayoutId)).status).toBe(200);
      await send();
      expect(await moneyOf(old)).toEqual(paid(600_000));
      expect(await transfersTo(old)).toHaveLength(1);
      expect(await cast.cases(old.id)).toEqual([]);
      expect(refused(await neverSent(other, old))).toEqual([
        409,
        how === 'under our reference' ? 'payout-exists' : 'payout-not-in-doubt',
      ]);
    },
  );

  test('still on its way there, it is followed; when it fails, the money is available again', async () => {
    const old = await tooOld();
    await edge.control.setFaults({ webhooks: { mode: 'manual' }, payouts: { holdRate: 1 } });
    const gatewayPayoutId = await payByHand(old, { reference_id: old.id });
    expect((await sent(one, old, gatewayPayoutId)).body.state).toBe('sending');
    expect(await moneyOf(old)).toEqual(waiting(100_000));
    await edge.control.stepPayout(gatewayPayoutId, 'failed');
    await send();
    expect(await moneyOf(old)).toEqual(returned);
  });

  test('an id of nothing, of another sum, account or payout, of one that failed, or of long ago is not it', async () => {
    const [old, another] = [await tooOld(), await tooOld()];
    await silent();
    const wrong = [
      'pout_nothing',
      await payByHand(old, { amount: old.netPaise - 1 }),
      await payByHand(another),
      await payByHand(old, { reference_id: another.id }),
    ];
    await edge.control.setFaults({ payouts: { failRate: 1 } });
    wrong.push(await payByHand(old));
    await edge.control.setFaults({ payouts: { failRate: 0 } });
    for (const gatewayPayoutId of wrong) {
      expect(refused(await sent(one, old, gatewayPayoutId)), gatewayPayoutId).toEqual([
        409,
        'payout-mismatch',
      ]);
    }
    const before = await payByHand(old);
    await edge.database.asOwner(
      `update payouts set created_at = now() + interval '1 hour' where id = $1`,
      [old.id],
    );
    expect(refused(await sent(one, old, before))).toEqual([409, 'payout-mismatch']);
    expect(await moneyOf(old)).toEqual(waiting(100_000));
    expect(await cast.cases(old.id)).toEqual(['payout-too-old-to-send']);
  });

  test('when the gateway has another one under our reference, that one counts', async () => {
    const old = await tooOld();
    await silent();
    const byHand = await payByHand(old);
    const ours = await payByHand(old, { reference_id: old.id });
    const answer = await sent(one, old, byHand);
    expect(refused(answer)).toEqual([409, 'payout-exists']);
    expect(answer.body).toMatchObject({ gatewayPayoutId: ours });
  });

  test('what is no finding is refused', async () => {
    for (const body of [
      {},
      { type: 'lost' },
      { type: 'sent' },
      { type: 'sent', gatewayPayoutId: 'pay_1' },
      { type: 'sent', gatewayPayoutId: '../payouts' },
      { type: 'never-sent', gatewayPayoutId: 'pout_1' },
      { type: 'never-sent', reason: ' ' },
    ]) {
      const answer = await end(one, { id: newKey() }, body);
      expect(refused(answer), JSON.stringify(body)).toEqual([422, 'invalid-request']);
    }
  });
});
