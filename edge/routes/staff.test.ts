// Staff over HTTP: who may, that two must agree where money is moved by hand, and that a decision is made once.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readBalance, readEarnings, verifyBooks } from '#db';
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
afterEach(() => edge.control.resetFaults());
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

const balanceOf = (who: { id: string }) => readBalance(edge.database.db, who.id);
const available = async (who: { id: string }) =>
  (await readEarnings(edge.database.db, who.id)).availablePaise;
const audited = async (subject: string) =>
  (
    await edge.database.asOwner<{ action: string; actor_id: string }>(
      'select action, actor_id from audit_log where subject = $1 order by id',
      [subject],
    )
  ).map((row) => [row.action, row.actor_id]);

const id = newKey();
const everything: [method: string, path: string, body?: object][] = [
  ['GET', '/trial-balance'],
  ['GET', '/balance?class=bank'],
  ['GET', '/refunds'],
  ['POST', `/refunds/${id}/decision`, { approve: true }],
  ['GET', '/disputes'],
  ['GET', '/payouts'],
  ['POST', `/payouts/${id}/approval`],
  ['POST', `/payouts/${id}/rejection`, { reason: 'x' }],
  ['POST', `/payouts/${id}/ending`, { type: 'never-sent', reason: 'x' }],
  ['GET', '/payout-holds'],
  ['POST', '/payout-holds', { performerId: id, reason: 'x' }],
  ['POST', `/payout-holds/${id}/lifting`],
  ['GET', '/cases'],
  ['POST', `/cases/${id}/resolution`, { resolution: 'x' }],
  ['GET', '/adjustments'],
  [
    'POST',
    '/adjustments',
    {
      reason: 'x',
      lines: [
        { class: 'bank', ownerId: null, amount: 1 },
        { class: 'unexplained', ownerId: null, amount: -1 },
      ],
    },
  ],
  ['POST', `/adjustments/${id}/decision`, { approve: true }],
  ['POST', '/settlements/setl_1/lines/1/solution', { adjustmentId: id }],
  [
    'POST',
    '/promotions',
    { userId: id, tokens: 1, expiresAt: '2099-01-01T00:00:00Z', reason: 'x' },
  ],
  ['GET', '/promotions'],
  ['POST', `/promotions/${id}/decision`, { approve: true }],
  ['GET', '/audit'],
  ['GET', '/rules'],
  ['PUT', '/rules/payout_min_paise', { value: 40_000, reason: 'x' }],
  ['POST', `/tax-profiles/${id}/correction`, { pan: 'ABCPE1234F', reason: 'x' }],
  ['POST', `/rules/proposals/${id}/decision`, { approve: true }],
  ['PUT', `/streams/${id}/holds/${id}`, { sound: true, picture: true }],
  ['POST', `/users/${id}/ban`, { reason: 'x' }],
  ['DELETE', `/users/${id}/ban`],
  ['DELETE', `/users/${id}/sessions`],
];

describe('who may', () => {
  test('the list of routes is the whole of what the API offers staff', async () => {
    const { body } = await edge.call('GET', '/openapi.json');
    const offered = Object.entries<object>(body.paths)
      .filter(([path]) => path.startsWith('/v1/admin/'))
      .flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
    const known = everything.map(
      ([method, path]) =>
        `${method} /v1/admin${path.split('?')[0]?.replace(`/holds/${id}`, '/holds/{userId}').replace(id, '{id}').replace('payout_min_paise', '{name}').replace('setl_1/lines/1', '{settlementId}/lines/{line}')}`,
    );
    expect(known.sort()).toEqual(offered.sort());
  });

  test.each(everything)('%s %s is for staff alone', async (method, path, body) => {
    const options = body ? { body } : {};
    for (const role of ['viewer', 'performer'] as const) {
      const somebody = await cast.member(role);
      expect(refused(await somebody.call(method, `/v1/admin${path}`, options))).toEqual([
        403,
        'forbidden',
      ]);
    }
    expect(refused(await edge.call(method, `/v1/admin${path}`, options))).toEqual([
      401,
      'unauthenticated',
    ]);
  });

  test('one of the staff who is no more decides nothing, even while their token lasts', async () => {
    const gone = await cast.member('admin');
    const banned = await cast.member('admin');
    await edge.database.asOwner(`update users set role = 'viewer' where id = $1`, [gone.id]);
    await edge.database.asOwner(`update users set banned_at = now() where id = $1`, [banned.id]);
    const decisions = everything.filter(
      ([method, path]) => method !== 'GET' && path !== '/promotions',
    );
    for (const who of [gone, banned]) {
      for (const [method, path, body] of decisions) {
        const answer = await who.act(method, `/v1/admin${path}`, body);
        expect([403, 404], `${method} ${path}`).toContain(answer.status);
      }
      const viewer = await cast.member();
      const grant = {
        userId: viewer.id,
        tokens: 1,
        expiresAt: '2099-01-01T00:00:00Z',
        reason: 'x',
      };
      expect(refused(await who.act('POST', '/v1/admin/promotions', grant))).toEqual([
        403,
        'forbidden',
      ]);
      const performer = await cast.member('performer');
      const hold = { performerId: performer.id, reason: 'x' };
      expect(refused(await who.act('POST', '/v1/admin/payout-holds', hold))).toEqual([
        403,
        'forbidden',
      ]);
    }
  });

  test('what is not there is not found, and what makes no sense is refused', async () => {
    for (const [method, path, body] of everything.filter(([, path]) => path.includes(id))) {
      const answer = await one.act(method, `/v1/admin${path}`, body);
      expect(refused(answer), path).toEqual([404, 'not-found']);
      const wrong = await one.act(method, `/v1/admin${path.replace(id, 'nonsense')}`, body);
      expect(refused(wrong), path).toEqual([422, 'invalid-request']);
    }
    const nobody = { performerId: id, reason: 'x' };
    expect(refused(await one.act('POST', '/v1/admin/payout-holds', nobody))).toEqual([
      404,
      'not-found',
    ]);
    for (const path of [
      'refunds?state=lost',
      'payouts?state=lost',
      'disputes?open=maybe',
      'cases?state=lost',
      'adjustments?state=lost',
      'payout-holds?performerId=me',
      'audit?cursor=-1',
      'audit?actorId=me',
      'cases?cursor=nonsense',
      'payouts?cursor=nonsense',
      'refunds?cursor=nonsense',
      'promotions?cursor=nonsense',
      'promotions?state=lost',
      'adjustments?cursor=nonsense',
      'payout-holds?cursor=nonsense',
      'disputes?cursor=%00',
      'cases?kind=%00',
      'audit?subject=%00',
      'audit?action=%00',
      'balance?class=%00',
      'balance?class=bank&at=yesterday',
      'balance?class=bank&at=0000-01-01T00:00:00Z',
      'balance?class=bank&ownerId=me',
    ]) {
      expect(refused(await one.call('GET', `/v1/admin/${path}`)), path).toEqual([
        422,
        'invalid-request',
      ]);
    }
    expect(refused(await one.call('GET', '/v1/admin/balance?class=treasure'))).toEqual([
      404,
      'not-found',
    ]);
  });
});

describe('refunds', () => {
  async function asked() {
    const fan = await cast.fan();
    const { body } = await fan.act('POST', `/v1/payments/${fan.gatewayPaymentId}/refunds`, {
      reason: 'x',
    });
    return { fan, refundId: body.id as string };
  }
  const decide = (who: Member, refundId: string, approve: unknown) =>
    who.call('POST', `/v1/admin/refunds/${refundId}/decision`, { body: { approve } });

  test('a decision is made once; repeated it is the same answer, and anybody else’s comes too late', async () => {
    const { fan, refundId } = await asked();
    const answers = await Promise.all([
      decide(one, refundId, true),
      decide(one, refundId, true),
      decide(one, refundId, true),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ id: refundId, state: 'approved', userId: fan.id });
    }
    expect(refused(await decide(other, refundId, true))).toEqual([409, 'already-decided']);
    expect(refused(await decide(one, refundId, false))).toEqual([409, 'already-decided']);
    expect(await audited(refundId)).toEqual([['refund.approved', one.id]]);
    const list = await one.call('GET', '/v1/admin/refunds?state=approved');
    expect(list.body.refunds.map((refund: { id: string }) => refund.id)).toContain(refundId);
  });

  test('two who decide differently at once: one of them does', async () => {
    const { fan, refundId } = await asked();
    const answers = await Promise.all([
      decide(one, refundId, true),
      decide(other, refundId, false),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await balanceOf(fan)).toBe(answers[0]?.status === 200 ? 0 : 50);
  });

  test('whoever asked for it does not approve it', async () => {
    const fan = await cast.fan();
    const { body } = await one.act('POST', `/v1/payments/${fan.gatewayPaymentId}/refunds`, {
      reason: 'a courtesy',
    });
    expect(body).toMatchObject({ state: 'requested' });
    expect(refused(await decide(one, body.id, true))).toEqual([403, 'second-person-needed']);
    expect((await decide(other, body.id, true)).body.state).toBe('approved');
    for (const approve of ['yes', 1, null]) {
      expect(refused(await decide(one, body.id, approve))).toEqual([422, 'invalid-request']);
    }
  });
});

describe('payouts', () => {
  async function payout(paise: number) {
    const performer = await cast.member('performer');
    await cast.verifiedAccount(performer.id);
    await cast.earn([performer.id], paise);
    const { body } = await performer.act('POST', '/v1/payouts', { amountPaise: paise });
    return { performer, payoutId: body.id as string, state: body.state as string };
  }
  const approve = (who: Member, payoutId: string) =>
    who.call('POST', `/v1/admin/payouts/${payoutId}/approval`);
  const reject = (who: Member, payoutId: string) =>
    who.call('POST', `/v1/admin/payouts/${payoutId}/rejection`, { body: { reason: 'no' } });

  test('small ones need nobody, larger ones one, the largest two different ones', async () => {
    expect((await payout(500_000)).state).toBe('approved');
    const larger = await payout(500_001);
    expect(larger.state).toBe('requested');
    expect((await approve(one, larger.payoutId)).body).toMatchObject({
      state: 'approved',
      approvals: 1,
      approvalsNeeded: 1,
    });
    expect((await approve(one, larger.payoutId)).body.state).toBe('approved');
    expect(refused(await approve(other, larger.payoutId))).toEqual([409, 'already-decided']);

    const largest = await payout(5_000_001);
    expect((await approve(one, largest.payoutId)).body).toMatchObject({
      state: 'requested',
      approvals: 1,
      approvalsNeeded: 2,
    });
    expect(refused(await approve(one, largest.payoutId))).toEqual([403, 'second-person-needed']);
    const both = await Promise.all([
      approve(other, largest.payoutId),
      approve(other, largest.payoutId),
    ]);
    expect(both.map(({ body }) => body.state)).toEqual(['approved', 'approved']);
    expect(await audited(largest.payoutId)).toEqual([
      ['payout.approved', one.id],
      ['payout.approved', other.id],
    ]);
  });

  test('a refused one is available again, once', async () => {
    const { performer, payoutId } = await payout(600_000);
    expect(await available(performer)).toBe(0);
    const answers = await Promise.all([reject(one, payoutId), reject(other, payoutId)]);
    expect(answers.map(({ body }) => body.state)).toEqual(['rejected', 'rejected']);
    expect(await available(performer)).toBe(600_000);
    expect(refused(await approve(one, payoutId))).toEqual([409, 'already-decided']);
    // Approved is not yet sent; what is on its way to the bank is not to be called back.
    const approved = await payout(600_000);
    await approve(one, approved.payoutId);
    expect((await reject(one, approved.payoutId)).body.state).toBe('rejected');
    expect(await available(approved.performer)).toBe(600_000);
    const sending = await payout(600_000);
    await edge.database.asOwner(`update payouts set state = 'sending' where id = $1`, [
      sending.payoutId,
    ]);
    expect(refused(await reject(one, sending.payoutId))).toEqual([409, 'already-decided']);
  });

  test('nobody approves their own', async () => {
    const staff = await cast.member('admin');
    await cast.verifiedAccount(staff.id);
    await cast.earn([staff.id], 600_000);
    const { body } = await staff.act('POST', '/v1/payouts', { amountPaise: 600_000 });
    expect(refused(await approve(staff, body.id))).toEqual([403, 'second-person-needed']);
  });

  test('on hold nothing is approved; a hold is placed once, and not lifted by whom it holds', async () => {
    const { performer, payoutId } = await payout(600_000);
    const place = (who: Member, performerId = performer.id) =>
      who.call('POST', '/v1/admin/payout-holds', { body: { performerId, reason: 'a question' } });
    const [first, second] = [await place(one), await place(other)];
    expect([first.status, second.body]).toEqual([201, first.body]);
    const holds = async () =>
      (await one.call('GET', `/v1/admin/payout-holds?performerId=${performer.id}`)).body.holds;
    expect(await holds()).toMatchObject([
      { id: first.body.id, reason: 'a question', placedBy: one.id, caseId: null },
    ]);
    expect(refused(await approve(one, payoutId))).toEqual([409, 'payout-on-hold']);
    const lift = (who: Member, holdId: string) =>
      who.call('POST', `/v1/admin/payout-holds/${holdId}/lifting`);
    expect((await lift(one, first.body.id)).status).toBe(204);
    expect(await holds()).toEqual([]);
    expect((await lift(one, first.body.id)).status).toBe(204);
    expect((await lift(other, first.body.id)).status).toBe(204);
    expect(await audited(performer.id)).toEqual([
      ['payout-hold.placed', one.id],
      ['payout-hold.lifted', one.id],
    ]);
    expect((await approve(one, payoutId)).body.state).toBe('approved');

    const staff = await cast.member('admin');
    const own = await place(one, staff.id);
    expect(refused(await lift(staff, own.body.id))).toEqual([403, 'second-person-needed']);
    expect((await lift(other, own.body.id)).status).toBe(204);
  });
});

describe('tax numbers', () => {
  const correct = (who: Member, userId: string, pan: string, reason = 'two letters were swapped') =>
    who.call('POST', `/v1/admin/tax-profiles/${userId}/correction`, { body: { pan, reason } });

  async function taxpayer() {
    const performer = await cast.member('performer');
    const pan = cast.newPan();
    await performer.call('PUT', '/v1/payouts/tax-profile', { body: { pan } });
    return { performer, pan };
  }

  const sealedOf = async (who: Member) => {
    const [row] = await edge.database.asOwner<{ sealed: string; hash: string }>(
      'select sealed_pan as sealed, pan_hash as hash from tax_profiles where user_id = $1',
      [who.id],
    );
    return row ?? { sealed: '', hash: '' };
  };

  test('a PAN that was given wrongly is sealed and hashed anew, and the trail says who and why', async () => {
    const { performer, pan } = await taxpayer();
    const before = await sealedOf(performer);
    const answer = await correct(one, performer.id, 'xyzpa1234b');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ userId: performer.id, panMask: 'XYZ••••••B' });
    expect(JSON.stringify(answer.body)).not.toContain('XYZPA1234B');
    const after = await sealedOf(performer);
    const { vault } = edge.parts.deps;
    expect(await vault.open(after.sealed, `tax-profile:${performer.id}`)).toBe('XYZPA1234B');
    expect(after.hash).toBe(await vault.keyedHash('XYZPA1234B', 'pan'));
    expect(after.hash).not.toBe(before.hash);
    // The same once more: the same answer, and nothing in the trail.
    expect((await correct(other, performer.id, 'XYZPA1234B')).body).toEqual(answer.body);
    expect(await audited(performer.id)).toEqual([
      ['tax-profile.given', performer.id],
      ['tax-profile.corrected', one.id],
    ]);
    const [former] = await edge.database.asOwner<{ sealed: string }>(
      'select sealed_pan as sealed from former_pans where user_id = $1',
      [performer.id],
    );
    expect(await vault.open(former?.sealed ?? '', `tax-profile:${performer.id}`)).toBe(pan);
    const { body } = await performer.call('GET', '/v1/payouts');
    expect(body.panMask).toBe('XYZ••••••B');
  });

  test('payouts wait afterwards, and the performer is told until when', async () => {
    const { performer } = await taxpayer();
    await cast.verifiedAccount(performer.id);
    await cast.earn([performer.id], 100_000);
    const { body } = await correct(one, performer.id, cast.newPan());
    expect((await performer.call('GET', '/v1/payouts')).body).toMatchObject({
      blockedBy: 'payout-details-on-hold',
      blockedUntil: body.payableFrom,
    });
    const asked = await performer.act('POST', '/v1/payouts', { amountPaise: 100_000 });
    expect(refused(asked)).toEqual([409, 'payout-details-on-hold']);
    expect(asked.body.usableFrom).toBe(body.payableFrom);
  });

  test('what is no PAN, has no reason, is somebody else’s or one’s own is refused', async () => {
    const { performer } = await taxpayer();
    const { pan } = await taxpayer();
    expect(refused(await correct(one, performer.id, 'ABCDE1234F'))).toEqual([
      422,
      'invalid-request',
    ]);
    expect(refused(await correct(one, performer.id, cast.newPan(), ' '))).toEqual([
      422,
      'invalid-request',
    ]);
    expect(refused(await correct(one, performer.id, pan))).toEqual([409, 'pan-taken']);
    const staff = await cast.member('admin');
    await staff.call('PUT', '/v1/payouts/tax-profile', { body: { pan: cast.newPan() } });
    expect(refused(await correct(staff, staff.id, cast.newPan()))).toEqual([
      403,
      'second-person-needed',
    ]);
    expect(await audited(performer.id)).toEqual([['tax-profile.given', performer.id]]);
  });
});

describe('changes of the books by hand', () => {
  const propose = (who: Member, lines: unknown, key = newKey()) =>
    who.act('POST', '/v1/admin/adjustments', { reason: 'a correction', lines }, key);
  const decide = (who: Member, adjustmentId: string, approve: boolean) =>
    who.call('POST', `/v1/admin/adjustments/${adjustmentId}/decision`, { body: { approve } });
  const line = (name: string, amount: unknown, ownerId: string | null = null) => ({
    class: name,
    ownerId,
    amount,
  });

  test('one proposes, another approves, and it is booked once', async () => {
    const performer = await cast.member('performer');
    const lines = [
      line('platform_revenue', 70_000),
      line('performer_available', -70_000, performer.id),
    ];
    const key = newKey();
    const [made, again] = await Promise.all([propose(one, lines, key), propose(one, lines, key)]);
    expect(again.body.id).toBe(made.body.id);
    expect(refused(await propose(one, [line('bank', 1), line('unexplained', -1)], key))).toEqual([
      409,
      'idempotency-key-reused',
    ]);
    expect(refused(await decide(one, made.body.id, true))).toEqual([403, 'second-person-needed']);
    expect(await available(performer)).toBe(0);
    const proposed = await other.call('GET', '/v1/admin/adjustments?state=proposed');
    expect(proposed.body.adjustments).toMatchObject([
      { id: made.body.id, lines, proposedBy: one.id, decidedBy: null },
    ]);
    const both = await Promise.all([
      decide(other, made.body.id, true),
      decide(other, made.body.id, true),
    ]);
    expect(both.map(({ body }) => body.state)).toEqual(['approved', 'approved']);
    expect(await available(performer)).toBe(70_000);
    expect(refused(await decide(one, made.body.id, false))).toEqual([409, 'already-decided']);
    expect(await audited(made.body.id)).toEqual([
      ['adjustment.proposed', one.id],
      ['adjustment.approved', other.id],
    ]);
  });

  test('lines that do not add up, of no account, or of wallets are refused', async () => {
    const fan = await cast.fan();
    const wrong: unknown[] = [
      [line('bank', 1), line('unexplained', -2)],
      [line('bank', 1)],
      [line('bank', 0), line('unexplained', 0)],
      [line('bank', 1.5), line('unexplained', -1.5)],
      [line('bank', '1'), line('unexplained', '-1')],
      [line('treasure', 1), line('bank', -1)],
      [line('bank\u0000', 1), line('unexplained', -1)],
      [line('bank', 1, fan.id), line('unexplained', -1)],
      [line('performer_available', -1), line('bank', 1)],
      [line('viewer_tokens', -100, fan.id), line('tokens_outstanding', 100)],
      [line('tokens_outstanding', 1), line('bank', -1)],
      Array.from({ length: 21 }, () => line('bank', 1)),
      [],
      'lines',
    ];
    for (const lines of wrong) {
      expect(refused(await propose(one, lines)), JSON.stringify(lines)).toEqual([
        422,
        'invalid-request',
      ]);
    }
    expect(await balanceOf(fan)).toBe(50);
  });

  test('what an account does not hold cannot be taken from it', async () => {
    const performer = await cast.member('performer');
    const lines = [line('performer_available', 100, performer.id), line('platform_revenue', -100)];
    const { body } = await propose(one, lines);
    expect(refused(await decide(other, body.id, true))).toEqual([409, 'insufficient-balance']);
    expect((await decide(other, body.id, false)).body.state).toBe('rejected');
  });
});

describe('promotions', () => {
  const grant = (who: Member, changes: object, key = newKey()) =>
    who.act(
      'POST',
      '/v1/admin/promotions',
      {
        tokens: 25,
        expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
        reason: 'a welcome',
        ...changes,
      },
      key,
    );

  test('given once for each key, spent first, and never to oneself', async () => {
    const viewer = await cast.member();
    const key = newKey();
    const changes = { userId: viewer.id, expiresAt: '2099-01-01T00:00:00Z' };
    const [made, again] = await Promise.all([grant(one, changes, key), grant(one, changes, key)]);
    expect([made.status, again.status]).toEqual([201, 201]);
    expect(await balanceOf(viewer)).toBe(25);
    expect(refused(await grant(one, { ...changes, tokens: 26 }, key))).toEqual([
      409,
      'idempotency-key-reused',
    ]);
    expect(refused(await grant(one, { userId: one.id }))).toEqual([403, 'second-person-needed']);
    expect(refused(await grant(one, { userId: newKey() }))).toEqual([404, 'not-found']);
    for (const wrong of [
      { tokens: 0 },
      { tokens: 1.5 },
      { tokens: 100_001 },
      { expiresAt: '2020-01-01T00:00:00Z' },
      { expiresAt: 'soon' },
      { expiresAt: '9999-12-31T23:59:59-14:00' },
      { reason: '' },
    ]) {
      const answer = await grant(one, { userId: viewer.id, ...wrong });
      expect(refused(answer), JSON.stringify(wrong)).toEqual([422, 'invalid-request']);
    }
    expect(await balanceOf(viewer)).toBe(25);
  });

  test('more than one may give alone waits for another of the staff', async () => {
    const viewer = await cast.member();
    const { status, body } = await grant(one, { userId: viewer.id, tokens: 501 });
    expect([status, body.state, body.lotId]).toEqual([201, 'proposed', null]);
    const waiting = (await one.call('GET', '/v1/admin/promotions?state=proposed')).body;
    expect(waiting.promotions).toContainEqual(
      expect.objectContaining({ id: body.id, viewerId: viewer.id, proposedBy: one.id }),
    );
    const decide = (who: Member, approve: boolean) =>
      who.call('POST', `/v1/admin/promotions/${body.id}/decision`, { body: { approve } });
    expect(refused(await decide(one, true))).toEqual([403, 'second-person-needed']);
    expect(await balanceOf(viewer)).toBe(0);
    expect((await decide(other, true)).body).toMatchObject({ state: 'approved', tokens: 501 });
    expect(await balanceOf(viewer)).toBe(501);
    expect(refused(await decide(one, false))).toEqual([409, 'already-decided']);
    expect(await audited(viewer.id)).toEqual([
      ['promotion.proposed', one.id],
      ['promotion.approved', other.id],
    ]);
  });
});

describe('disputes, cases, bans and the books', () => {
  test('an open dispute is listed with its deadline, first the one that is due first', async () => {
    const made: string[] = [];
    for (const days of [9, 3, 6]) {
      const buyer = await cast.member();
      const order = await cast.order(buyer);
      const { payment } = await edge.control.pay(order.gatewayOrderId);
      await edge.control.settled();
      const dispute = await edge.control.openDispute(payment.id, {
        respond_by: Math.floor(Date.now() / 1000) + days * 86_400,
      });
      await edge.control.settled();
      expect(await balanceOf(buyer)).toBe(0);
      made.push(dispute.id);
    }
    const open = (await one.call('GET', '/v1/admin/disputes?open=true')).body.disputes;
    expect(open.map((row: { gatewayDisputeId: string }) => row.gatewayDisputeId)).toEqual([
      made[1],
      made[2],
      made[0],
    ]);
    expect(Date.parse(open[0].respondBy)).toBeGreaterThan(Date.now());
    await edge.control.stepDispute(made[1] ?? '', 'won');
    await edge.control.settled();
    expect((await one.call('GET', '/v1/admin/disputes?open=true')).body.disputes).toHaveLength(2);
    expect((await one.call('GET', '/v1/admin/disputes')).body.disputes).toHaveLength(3);
    const { body } = await one.call('GET', '/v1/admin/cases?kind=dispute');
    expect(body.cases).toHaveLength(2);
    expect(Date.parse(body.cases[0].dueAt)).toBeGreaterThan(Date.now());
  });

  test('a case is closed once, with what was found', async () => {
    const { body } = await one.call('GET', '/v1/admin/cases?kind=dispute');
    const caseId = body.cases[0].id;
    const resolve = (resolution: string) =>
      one.call('POST', `/v1/admin/cases/${caseId}/resolution`, { body: { resolution } });
    expect(refused(await resolve(' '))).toEqual([422, 'invalid-request']);
    expect((await resolve('looked at')).status).toBe(204);
    expect(refused(await resolve('again'))).toEqual([404, 'not-found']);
    const resolved = await one.call('GET', '/v1/admin/cases?kind=dispute&state=resolved');
    expect(resolved.body.cases[0]).toMatchObject({ resolution: expect.any(String) });
  });

  test.each([
    [
      'payouts',
      'sending',
      `insert into payouts (id, performer_id, payout_account_id, amount_paise, tds_paise, tds_section, tds_rate_bp,
          state, approvals_needed, idempotency_key, request_journal_id)
        select id, id, (select min(a.id::text)::uuid from payout_accounts a), 100, 0, '194O', 0, state, 0, 'x', id from rows`,
      'paid',
    ],
    [
      'refunds',
      'requested',
      `insert into refunds (id, gateway_payment_id, user_id, tokens, net_paise, gst_paise, taken_net_paise,
          taken_gst_paise, state, reason, requested_by, idempotency_key)
        select id, 'x', id, 1, 100, 0, 0, 0, state, 'x', id, 'x' from rows`,
      'rejected',
    ],
    [
      'promotions',
      'proposed',
      `insert into ledger.promotions (id, viewer_id, tokens, expires_at, reason, proposed_by, decided_by, state,
          idempotency_key)
        select id, id, 1, now(), 'x', uuid_v7(), case state when 'rejected' then id end, state, id::text from rows`,
      'rejected',
    ],
    [
      'adjustments',
      'proposed',
      `insert into ledger.adjustments (id, lines, reason, proposed_by, decided_by, state, idempotency_key)
        select id, '[]', 'x', uuid_v7(), case state when 'rejected' then id end, state, id::text from rows`,
      'rejected',
    ],
    [
      'cases',
      'open',
      `insert into cases (id, kind, subject, details, state) select id, 'page', id::text, '{}', state from rows`,
      'resolved',
    ],
  ])(
    '%s come in pages, each once; what waits longest comes first',
    async (path, waits, rows, ended) => {
      await cast.verifiedAccount((await cast.member('performer')).id);
      const made: Record<string, string[]> = { [waits]: [], [ended]: [] };
      const behindTheRules = (statement: string) =>
        edge.database.asOwner(
          `begin; set local session_replication_role = replica; ${statement}; commit`,
        );
      for (const state of [waits, ended]) {
        const ids = await edge.database.asOwner<{ id: string }>(
          'select uuid_v7()::text as id from generate_series(1, 205) order by 1',
        );
        made[state] = ids.map((row) => row.id);
        const list = ids.map((row) => `('${row.id}'::uuid)`).join(', ');
        await behindTheRules(
          `create temporary view rows as select id, '${state}' as state from (values ${list}) v (id); ${rows}; drop view rows`,
        );
      }
      const everyPage = async (query: string) => {
        const found: { id: string }[] = [];
        for (let cursor: string | null = ''; cursor !== null; ) {
          const page = await one.call(
            'GET',
            `/v1/admin/${path}?${query}${cursor && `&cursor=${cursor}`}`,
          );
          expect(page.body[path].length).toBeLessThanOrEqual(200);
          found.push(...page.body[path]);
          cursor = page.body.nextCursor;
        }
        return found.map((row) => row.id);
      };
      const mine = (state: string) => new Set(made[state]);
      const waiting = (await everyPage(`state=${waits}`)).filter((row) => mine(waits).has(row));
      expect(waiting).toEqual(made[waits]);
      const over = (await everyPage(`state=${ended}`)).filter((row) => mine(ended).has(row));
      expect(over).toEqual(made[ended]?.toReversed());
      // Cases are open unless asked for otherwise.
      if (path !== 'cases') {
        const all = await everyPage('');
        expect(all).toEqual([...new Set(all)].toSorted().toReversed());
        expect(all.length).toBeGreaterThanOrEqual(410);
      }
      const gone = [...mine(waits), ...mine(ended)].map((row) => `'${row}'`).join(', ');
      const table = rows.split(' ')[2];
      await behindTheRules(`delete from ${table} where id in (${gone})`);
    },
  );

  test('holds come in pages, each once, oldest first', async () => {
    const { id: performerId } = await cast.member('performer');
    await edge.database.asOwner(
      `insert into payout_holds (performer_id, reason) select $1, n::text from generate_series(1, 205) n`,
      [performerId],
    );
    const page = async (cursor = '') =>
      (await one.call('GET', `/v1/admin/payout-holds?performerId=${performerId}${cursor}`)).body;
    const first = await page();
    const second = await page(`&cursor=${first.nextCursor}`);
    expect([first.holds.length, second.holds.length, second.nextCursor]).toEqual([200, 5, null]);
    const ids = [...first.holds, ...second.holds].map((hold: { id: string }) => hold.id);
    expect(ids).toEqual([...new Set(ids)].toSorted());
  });

  test('disputes come in pages, each once: open ones by their deadline, those without one last', async () => {
    const fan = await cast.fan();
    const insert = (state: string) =>
      edge.database.asOwner(
        `insert into disputes (gateway_dispute_id, gateway_payment_id, user_id, amount_paise, phase, reason_code,
            state, respond_by, opened_by, opened_at, closed_at)
          select 'disp_${state}' || n, $1, $2, 1, 'chargeback', 'x', '${state}',
            case when n > 3 then now() + n % 50 * interval '1 hour' end, uuid_v7(), now() - n % 40 * interval '1 hour',
            case '${state}' when 'open' then null else now() end
          from generate_series(1, 205) n`,
        [fan.gatewayPaymentId, fan.id],
      );
    for (const state of ['open', 'closed']) await insert(state);
    const everyPage = async (query: string) => {
      const found: { gatewayDisputeId: string; respondBy: string | null; openedAt: string }[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const { body } = await one.call(
          'GET',
          `/v1/admin/disputes?${query}${cursor && `&cursor=${cursor}`}`,
        );
        expect(body.disputes.length).toBeLessThanOrEqual(200);
        found.push(...body.disputes);
        cursor = body.nextCursor;
      }
      const ids = found.map((row) => row.gatewayDisputeId);
      expect(new Set(ids).size).toBe(ids.length);
      return found;
    };
    const open = await everyPage('open=true');
    const mine = open.filter((row) => row.gatewayDisputeId.startsWith('disp_open'));
    expect(mine).toHaveLength(205);
    const deadlines = open.map((row) => row.respondBy ?? '~');
    expect(deadlines).toEqual(deadlines.toSorted());
    const all = await everyPage('');
    const opened = all.map((row) => row.openedAt);
    expect(opened).toEqual(opened.toSorted().toReversed());
    expect(all.length).toBeGreaterThanOrEqual(410);
    await edge.database.asOwner(
      `begin; set local session_replication_role = replica;
      delete from disputes where gateway_dispute_id ~ '^disp_(open|closed)[0-9]+$'; commit`,
    );
  });

  test('a ban ends the streams, stops tips both ways, and can be lifted', async () => {
    const fan = await cast.fan();
    const { performer, streamId } = await cast.live();
    const { streamId: another } = await cast.live();
    const tip = (who: Member, to: string) =>
      who.act('POST', '/v1/tips', { streamId: to, amountTokens: 1 });
    const ban = (who: Member, userId: string, method = 'POST') =>
      who.call(method, `/v1/admin/users/${userId}/ban`, {
        ...(method === 'POST' ? { body: { reason: 'x' } } : {}),
      });
    expect(refused(await ban(one, one.id))).toEqual([403, 'second-person-needed']);
    expect((await ban(one, performer.id)).status).toBe(204);
    expect((await edge.call('GET', `/v1/streams/${streamId}`)).body.state).toBe('ended');
    expect(refused(await tip(fan, streamId))).toEqual([409, 'performer-unavailable']);
    expect((await ban(one, fan.id)).status).toBe(204);
    expect(refused(await tip(fan, another))).toEqual([401, 'unauthenticated']);
    // Whatever somebody's token says, the books ask again.
    const believed = await cast.asMember({ ...fan, role: 'viewer' });
    expect(refused(await tip(believed, another))).toEqual([403, 'account-banned']);
    expect(await cast.suspicions(fan.id)).toEqual(['tip.account-banned']);
    expect(await balanceOf(fan)).toBe(50);
    expect((await ban(other, fan.id, 'DELETE')).status).toBe(204);
    expect(refused(await tip(fan, another))).toEqual([401, 'unauthenticated']);
    expect((await tip(believed, another)).status).toBe(201);
    expect((await audited(fan.id)).map(([action]) => action)).toEqual([
      'user.banned',
      'user.unbanned',
    ]);
  });

  test('the audit trail is read by actor, subject and kind, in pages', async () => {
    const fan = await cast.fan();
    const { streamId } = await cast.live();
    const key = newKey();
    for (const amountTokens of [1, 2, 3]) {
      await fan.act('POST', '/v1/tips', { streamId, amountTokens }, key);
    }
    const read = async (query: string) => (await one.call('GET', `/v1/admin/audit?${query}`)).body;
    const { entries, nextCursor } = await read(`actorId=${fan.id}&action=suspicion.`);
    expect(entries).toMatchObject([
      { action: 'suspicion.tip.idempotency-key-reused', actorId: fan.id, details: { streamId } },
      { action: 'suspicion.tip.idempotency-key-reused', actorId: fan.id },
    ]);
    expect(nextCursor).toBeNull();
    expect((await read(`actorId=${fan.id}&cursor=${entries[0].id}`)).entries).toEqual([entries[1]]);
    expect((await read(`subject=${newKey()}`)).entries).toEqual([]);
    await edge.database.asOwner(
      `select audit('page', null, n::text, '{}') from generate_series(1, 205) n`,
    );
    const first = await read('action=page');
    const second = await read(`action=page&cursor=${first.nextCursor}`);
    expect([first.entries.length, second.entries.length, second.nextCursor]).toEqual([
      200,
      5,
      null,
    ]);
  });

  test('what an account held at a moment is shown', async () => {
    const performer = await cast.member('performer');
    const before = new Date().toISOString();
    await cast.earn([performer.id], 123_000);
    const held = async (at: string) =>
      (
        await one.call(
          'GET',
          `/v1/admin/balance?class=performer_available&ownerId=${performer.id}&at=${at}`,
        )
      ).body.balance;
    expect(await held(before)).toBe(0);
    expect(await held(new Date(Date.now() + 1_000).toISOString())).toBe(123_000);
    expect(await held(encodeURIComponent('2099-01-01T00:00:00+05:30'))).toBe(123_000);
  });
});
