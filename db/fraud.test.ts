// Fraud: looking for it takes as long as the window has tips, however old the books are.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import { decidePromotion, findFraud, grantTokens, observeDispute, resolveCase } from './index.ts';

const oldTips = 50_000;
/** Indexes have grown by a level or two; the tips alone have more than a thousand pages. */
const pagesMore = 150;

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(() => database.close());

/** Pages that a round touches, in its own plan and in those of all functions that it calls: the least of a few goes. */
async function pagesOf(client: pg.Client): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 5; turn += 1) {
    const { rows: plans } = await client.query(
      'explain (analyze, buffers, timing off, format json) select find_fraud()',
    );
    const [{ Plan: plan }] = plans[0]['QUERY PLAN'];
    least = Math.min(least, plan['Shared Hit Blocks'] + plan['Shared Read Blocks']);
  }
  return least;
}

async function connected(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  return client;
}

test('a round touches as few pages when the books are old as when they were new', async () => {
  const { user, gatewayPaymentId } = await cast.buyer(1);
  const { performer, streamId } = await cast.liveStream();
  const guest = await cast.person();
  const [one, other] = [await cast.person('admin'), await cast.person('admin')];
  const gift = await grantTokens(database.db, {
    staffId: one.id,
    viewerId: guest.id,
    tokens: 6_000,
    expiresAt: new Date(Date.now() + 86_400_000),
    reason: 'a gift',
    idempotencyKey: cast.unique('key'),
  });
  await decidePromotion(database.db, gift.id, other.id, true);
  await cast.tipped(guest.id, streamId, 6_000);
  await cast.tipped(user.id, streamId, 100);
  await observeDispute(database.db, {
    gatewayDisputeId: cast.unique('disp'),
    gatewayPaymentId,
    amountPaise: 11_500,
    phase: 'chargeback',
    reasonCode: 'fraud',
    status: 'open',
    respondBy: null,
  });
  await database.asOwner(
    `insert into rules (name, value, meaning) values ('dispute_ratio_percent', 1, 'for a test')`,
  );
  await cast.sealAll();
  // Something of each sort is there to be found.
  expect(await findFraud(database.db)).toBe(3);
  const found = await database.asOwner<{ kind: string; details: object }>(
    `select kind, details from cases where subject like $1 order by kind`,
    [`${performer.id}%`],
  );
  expect(found.map((row) => row.kind)).toEqual([
    'disputed-earnings',
    'promotion-earnings',
    'ring-one-viewer',
  ]);
  expect(found[0]?.details).toEqual({
    performerId: performer.id,
    tokens: 100,
    disputedPaise: 5_000,
    tokensReceived: 6_100,
  });

  for (const name of ['ledger.tips', 'ledger.entries', 'disputes', 'disputed_earnings']) {
    await database.asOwner(`alter table ${name} set (autovacuum_enabled = off)`);
  }
  await database.asOwner('vacuum analyze');
  // One that made all its plans when the tables were small, and was told nothing since.
  const old = await connected();
  const small = await pagesOf(old);
  await database.asOwner(
    `begin;
    set local session_replication_role = replica;
    create temporary table many on commit drop as
      select n, now() - interval '60 days' - n * interval '1 minute' as at from generate_series(1, ${oldTips}) n;
    alter table many add act uuid;
    update many set act = overlay(uuid_v7()::text placing substr(uuid_v7_floor(at)::text, 1, 13) from 1 for 13)::uuid;
    insert into ledger.tips (id, stream_id, viewer_id, performer_id, amount_tokens, earned_paise, fee_paise,
        fee_policy_version, message, anonymous, event_id, created_at)
      select act, '${streamId}', '${user.id}', '${performer.id}', 1, 50, 50, 1, '', false, n, at from many;
    insert into ledger.entries (journal_id, line, account_id, currency, amount)
      select act, 1, (select promotion from ledger.house), 'INR', 50 from many;
    insert into disputes (gateway_dispute_id, gateway_payment_id, user_id, amount_paise, phase, reason_code, state,
        opened_by, opened_at)
      select 'disp_' || n, '${gatewayPaymentId}', '${user.id}', 1, 'chargeback', 'fraud', 'lost', act, at
        from many;
    insert into disputed_earnings (gateway_dispute_id, tip_id, performer_id, paise)
      select 'disp_' || n, act, uuid_v7(), 50 from many;
    commit`,
  );
  expect(await pagesOf(old)).toBeLessThan(3 * small + pagesMore);
  const young = await connected();
  expect(await pagesOf(young)).toBeLessThan(3 * small + pagesMore);
  await Promise.all([old.end(), young.end()]);

  // Looked at, and a window later: there has been no other dispute since.
  const disputed = () =>
    database.asOwner<{ id: string; state: string }>(
      `select id, state from cases where subject = $1 and kind = 'disputed-earnings' order by id`,
      [performer.id],
    );
  await resolveCase(database.db, (await disputed())[0]?.id ?? '', one.id, 'looked at');
  await database.asOwner(`update cases set resolved_at = now() - interval '31 days'`);
  await database.asOwner(
    `update disputes set opened_at = now() - interval '31 days' where gateway_payment_id = $1`,
    [gatewayPaymentId],
  );
  await findFraud(database.db);
  expect((await disputed()).map(({ state }) => state)).toEqual(['resolved']);
}, 60_000);
