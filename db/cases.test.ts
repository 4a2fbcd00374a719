// Cases: one open one for each subject of a kind, and what somebody has resolved does not come back by itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import { findLateSettlements, openCase, resolveCase } from './index.ts';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
let staffId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  staffId = (await cast.person('admin')).id;
});
afterAll(() => database.close());

const kind = 'something';
const facts = { lines: 3, refusal: 'settlement-changed' };
const open = (subject: string, details: Record<string, unknown> = facts) =>
  openCase(database.db, { kind, subject, details });
const resolve = (caseId: string) => resolveCase(database.db, caseId, staffId, 'looked at');

describe('what one of the staff has resolved', () => {
  test('is not opened anew while there is nothing more to say, however often it is found', async () => {
    const subject = cast.unique('subject');
    const first = await open(subject, { ...facts, attempts: 1 });
    await resolve(first);
    const found = await Promise.all(
      [2, 3, 4].map((attempts) => open(subject, { ...facts, attempts })),
    );
    expect(new Set(found)).toEqual(new Set([first]));
    expect(await cast.casesOf(subject)).toEqual([]);
  });

  test('comes back when its facts have changed, and only once', async () => {
    const subject = cast.unique('subject');
    const first = await open(subject);
    await resolve(first);
    const changed = { ...facts, lines: 4 };
    const second = await open(subject, changed);
    expect(second).not.toBe(first);
    expect(await open(subject)).toBe(second);
    await resolve(second);
    expect([await open(subject, changed), await open(subject)]).toEqual([second, first]);
    expect(await cast.casesOf(subject)).toEqual([]);
  });

  test('comes back after its quiet days, when it is still so', async () => {
    const subject = cast.unique('subject');
    const first = await open(subject);
    await resolve(first);
    await database.asOwner(
      `update cases set resolved_at = now() - interval '30 days 1 second' where id = $1`,
      [first],
    );
    expect(await open(subject)).not.toBe(first);
    expect(await cast.casesOf(subject)).toEqual([kind]);
  });

  test('says nothing of another subject or kind', async () => {
    const subject = cast.unique('subject');
    await resolve(await open(subject));
    await open(`${subject}-other`);
    await openCase(database.db, { kind: 'else', subject, details: facts });
    expect(await cast.casesOf(subject)).toEqual(['else']);
    expect(await cast.casesOf(`${subject}-other`)).toEqual([kind]);
  });
});

test('nobody closes a case that concerns them', async () => {
  const subject = cast.unique('subject');
  for (const details of [
    { performerId: staffId },
    { viewerId: staffId },
    { userId: staffId },
    { givenBy: [staffId] },
  ]) {
    const caseId = await open(subject, details);
    expect((await refusalOf(resolve(caseId))).code).toBe('second-person-needed');
    await resolveCase(database.db, caseId, (await cast.person('admin')).id, 'looked at');
  }
});

test('what had ended by itself is opened anew at once', async () => {
  const subject = cast.unique('subject');
  const first = await open(subject);
  await database.asOwner('select close_case($1, $2, $3)', [kind, subject, 'it ended']);
  expect(await open(subject)).not.toBe(first);
});

test('a late settlement that was resolved is not a case again at the next round', async () => {
  const { gatewayPaymentId } = await cast.buyer();
  await database.asOwner(
    `update payments set captured_at = now() - interval '8 days' where gateway_payment_id = $1`,
    [gatewayPaymentId],
  );
  await findLateSettlements(database.db);
  const [found] = await database.asOwner<{ id: string }>(
    'select id from cases where subject = $1',
    [gatewayPaymentId],
  );
  await resolve(found?.id ?? '');
  await findLateSettlements(database.db);
  expect(await cast.casesOf(gatewayPaymentId)).toEqual([]);
});

test('the case of a payout in doubt is closed by the ending of the payout alone', async () => {
  const [payout] = await database.asOwner<{ id: string }>(
    `with people as (select $1::uuid as person), account as (
        insert into payout_accounts (performer_id, kind, sealed_details, mask, details_hash, state, usable_from)
          select person, 'upi', 'x', 'x', 'x', 'verified', now() from people returning id)
      insert into payouts (performer_id, payout_account_id, amount_paise, tds_paise, tds_section, tds_rate_bp, state,
          approvals_needed, idempotency_key, request_journal_id)
        select person, account.id, 100, 0, '194O', 0, 'sending', 0, 'x', uuid_v7() from people, account returning id`,
    [(await cast.person('performer')).id],
  );
  const doubt = { kind: 'payout-too-old-to-send', subject: payout?.id ?? '', details: {} };
  const caseId = await openCase(database.db, doubt);
  expect((await refusalOf(resolve(caseId))).code).toBe('payout-in-doubt');
  await database.asOwner(`update payouts set state = 'failed' where id = $1`, [doubt.subject]);
  await resolve(caseId);
  expect(await cast.casesOf(doubt.subject)).toEqual([]);
});
