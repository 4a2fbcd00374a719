// The rules of money over HTTP: shown with all that staff must know, set with a reason, and by two where it widens a risk.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
let one: Member;
let other: Member;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  [one, other] = [await cast.member('admin'), await cast.member('admin')];
});
afterAll(() => edge.close());

const list = async () => (await one.call('GET', '/v1/admin/rules')).body.rules;
const rule = async (name: string) =>
  (await list()).find((one: { name: string }) => one.name === name);
const set = (who: Member, name: string, body: object) =>
  who.call('PUT', `/v1/admin/rules/${name}`, { body: { reason: 'a reason', ...body } });
const decide = (who: Member, proposalId: string, approve: unknown) =>
  who.call('POST', `/v1/admin/rules/proposals/${proposalId}/decision`, { body: { approve } });

/** A performer who can ask for so much. */
async function earner(paise: number): Promise<Member> {
  const performer = await cast.member('performer');
  await cast.verifiedAccount(performer.id);
  await cast.earn([performer.id], paise);
  return performer;
}
const ask = (who: Member, amountPaise: number) => who.act('POST', '/v1/payouts', { amountPaise });

describe('the list', () => {
  test('tells of each rule its value, since when, by whom, what it means and what it may be', async () => {
    const names = (await list()).map(({ name }: { name: string }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(await rule('young_account_hours')).toEqual({
      name: 'young_account_hours',
      value: 24,
      meaning: 'An account is new for so long',
      validFrom: expect.stringMatching(/^20.*Z$/),
      setBy: null,
      lowest: 0,
      highest: 720,
      canBeOff: true,
      risky: 'lowered',
      proposed: null,
    });
  });
});

describe('setting', () => {
  test('a rule that guards more counts from the next request on', async () => {
    const performer = await earner(200_000);
    expect((await ask(performer, 50_000)).status).toBe(201);
    const answer = await set(one, 'payout_min_paise', { value: 60_000 });
    expect([answer.status, answer.body]).toMatchObject([200, { value: 60_000, setBy: one.id }]);
    const small = await ask(performer, 50_000);
    expect(refused(small)).toEqual([409, 'payout-too-small']);
    expect(small.body.minPaise).toBe(60_000);
    expect(await rule('payout_min_paise')).toEqual(answer.body);
    const trail = await one.call('GET', '/v1/admin/audit?subject=payout_min_paise');
    expect(trail.body.entries).toMatchObject([
      {
        action: 'rule.set',
        actorId: one.id,
        details: { before: 50_000, value: 60_000, reason: 'a reason' },
      },
    ]);
  });

  test('a rule that guards less counts when somebody else has agreed', async () => {
    const [performer, another] = [await earner(600_000), await earner(600_000)];
    const { body } = await set(one, 'payout_auto_max_paise', { value: 600_000 });
    expect(body).toMatchObject({ value: 500_000, proposed: { value: 600_000 } });
    const { id } = body.proposed;
    expect((await ask(performer, 600_000)).body.state).toBe('requested');
    expect(refused(await decide(one, id, true))).toEqual([403, 'second-person-needed']);
    const open = await other.call('GET', '/v1/admin/cases?kind=rule-change');
    expect(open.body.cases).toMatchObject([{ id, subject: 'payout_auto_max_paise' }]);
    expect((await decide(other, id, true)).body).toMatchObject({ value: 600_000, proposed: null });
    expect((await decide(other, id, true)).status).toBe(200);
    expect((await ask(another, 600_000)).body.state).toBe('approved');
    expect(refused(await decide(one, id, false))).toEqual([409, 'already-decided']);
  });

  test('whoever proposed it may take it back', async () => {
    const { body } = await set(one, 'earnings_hold_hours', { value: 24 });
    const answer = await decide(one, body.proposed.id, false);
    expect(answer.body).toMatchObject({ value: 168, proposed: null });
    expect(refused(await decide(other, body.proposed.id, true))).toEqual([409, 'already-decided']);
  });

  test('what is no value, has no reason, or is beyond its bounds is refused, and told why', async () => {
    const wrong: [string, object][] = [
      ['young_account_hours', { value: 721 }],
      ['young_account_hours', { value: -1 }],
      ['young_account_hours', { value: 1.5 }],
      ['young_account_hours', { value: '24' }],
      ['young_account_hours', {}],
      ['young_account_hours', { value: 48, reason: ' ' }],
      ['young_account_hours', { value: 48, reason: undefined }],
      ['young_account_hours', { value: 48, validFrom: '2020-01-01T00:00:00Z' }],
      ['young_account_hours', { value: 2 ** 53 }],
      ['upi_payout_max_paise', { value: null }],
      ['ring_window_days', { value: 0 }],
      ['Payout%20min', { value: 1 }],
    ];
    for (const [name, body] of wrong) {
      const answer = await set(one, name, body);
      expect(refused(answer), `${name} ${JSON.stringify(body)}`).toEqual([422, 'invalid-request']);
    }
    const { body } = await set(one, 'young_account_hours', { value: 721 });
    expect(body.errors).toEqual([
      { path: 'value', message: 'young_account_hours is from 0 to 720, or off' },
    ]);
    expect(refused(await set(one, 'no_such_rule', { value: 1 }))).toEqual([404, 'not-found']);
    expect(refused(await decide(one, newKey(), true))).toEqual([404, 'not-found']);
    const openCase = await edge.database.asOwner<{ id: string }>(
      `select open_case('page', 'x', '{}') as id`,
    );
    expect(refused(await decide(one, openCase[0]?.id ?? '', true))).toEqual([404, 'not-found']);
    expect(await rule('young_account_hours')).toMatchObject({ value: 24, proposed: null });
  });
});
