// Tips under load: exactly what fits succeeds, nobody waits in a circle, and what grows does not slow them down.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import {
  holdTokens,
  Refusal,
  readBalance,
  readEarnings,
  readLimits,
  setLimits,
  type TipRequest,
  tip,
  tipMany,
  verifyBooks,
} from './index.ts';

import { connectPostgres } from './postgres.ts';

const connections = 8;

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(async () => {
  await database.close();
});

function request(viewerId: string, streamId: string, idempotencyKey: string): TipRequest {
  return { viewerId, streamId, amountTokens: 1, message: '', anonymous: false, idempotencyKey };
}

test('of 1,000 tips at once on a balance of 100 exactly 100 succeed, fifty times', async () => {
  const [repeats, balance, tips] = [50, 100, 1_000];
  const crowd = connectPostgres(database.url, { connectionsMax: connections });
  const { streamId } = await cast.liveStream();
  for (let turn = 0; turn < repeats; turn += 1) {
    const { user } = await cast.buyer(1);
    const waiting = Array.from({ length: tips }, (_, index) =>
      request(user.id, streamId, `${turn}-${index}`),
    );
    const codes: Record<string, number> = {};
    const count = (answer: object) => {
      const code = answer instanceof Refusal ? answer.code : 'taken';
      codes[code] = (codes[code] ?? 0) + 1;
    };
    await Promise.all(
      Array.from({ length: connections }, async (_, worker) => {
        while (waiting.length > 0) {
          // Some come alone, some together.
          const requests = waiting.splice(0, worker % 2 ? 1 : 5);
          const [only] = requests;
          if (requests.length > 1 || !only) (await tipMany(crowd.db, requests)).forEach(count);
          else {
            count(
              await tip(crowd.db, only).catch((error: unknown) => {
                if (error instanceof Refusal) return error;
                throw error;
              }),
            );
          }
        }
      }),
    );
    expect(codes).toEqual({
      taken: balance,
      'insufficient-balance': tips - balance,
    });
    expect(await readBalance(database.db, user.id)).toBe(0);
  }
  await crowd.close();
  expect(await verifyBooks(database.db)).toEqual([]);
}, 180_000);

test('calls that bring the first tips of several performers, each in another order, do not wait in a circle', async () => {
  const clients = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      return client;
    }),
  );
  const buyers = await Promise.all(clients.map(() => cast.buyer(2)));
  for (let turn = 0; turn < 15; turn += 1) {
    const streams = await Promise.all(Array.from({ length: 6 }, () => cast.liveStream()));
    await Promise.all(
      clients.map((client, index) => {
        const turned = [...streams.slice(index), ...streams.slice(0, index)];
        const requests = turned.map(({ streamId }) =>
          request(buyers[index]?.user.id ?? '', streamId, cast.unique('key')),
        );
        return client.query('select ledger.tip_many($1)', [JSON.stringify(requests)]);
      }),
    );
    for (const { performer } of streams) {
      const { tips } = await readEarnings(database.db, performer.id);
      expect(tips).toBe(clients.length);
    }
  }
  await Promise.all(clients.map((client) => client.end()));
});

test('tips and holds that race one another spend no more than the viewer’s limit', async () => {
  const { user } = await cast.buyer(2);
  const { performer, streamId } = await cast.liveStream();
  const none = { monthTokens: null, dayPaise: null, monthPaise: null };
  await setLimits(database.db, user.id, { ...none, dayTokens: 30 });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 40 }, (_, turn) =>
      turn % 4
        ? tip(database.db, request(user.id, streamId, cast.unique('key')))
        : holdTokens(database.db, {
            viewerId: user.id,
            performerId: performer.id,
            streamId,
            tokens: 3,
            expiresAt: new Date(Date.now() + 3_600_000),
            idempotencyKey: cast.unique('key'),
          }),
    ),
  );
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('spending-limit');
  }
  const { spent } = await readLimits(database.db, user.id);
  expect(spent.dayTokens).toBeGreaterThan(27);
  expect(spent.dayTokens).toBeLessThanOrEqual(30);
  expect(await readBalance(database.db, user.id)).toBe(250 - spent.dayTokens);
});

describe('as the books grow', () => {
  const rows = 50_000;
  let grown: TestDatabase;
  /** One that had all its plans made while the tables were empty. */
  let old: pg.Client;
  let viewerId: string;
  let streamId: string;
  let performerId: string;
  let small: Record<string, number>;
  /** Indexes have grown by a level or two; a table that is read as a whole has four hundred pages and more. */
  const pagesMore = 150;

  /**
   * Pages that each act touches, in its own plan and in those of all functions that it calls: the least of
   * several goes, since now and then a session reads its catalogues anew, or has more to seal.
   */
  async function pagesOf(client: pg.Client): Promise<Record<string, number>> {
    const least: Record<string, number> = {};
    for (let turn = 0; turn < 5; turn += 1) {
      for (const [name, statement] of Object.entries(acts())) {
        const { rows: plans } = await client.query(
          `explain (analyze, buffers, timing off, format json) ${statement}`,
        );
        const [{ Plan: plan }] = plans[0]['QUERY PLAN'];
        const pages = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
        least[name] = Math.min(least[name] ?? pages, pages);
      }
    }
    return least;
  }

  async function expectFew(client: pg.Client): Promise<void> {
    for (const [name, pages] of Object.entries(await pagesOf(client))) {
      expect(pages, name).toBeLessThan(3 * (small[name] ?? 0) + pagesMore);
    }
  }

  const acts = (): Record<string, string> => {
    const key = cast.unique('key');
    const many = JSON.stringify([request(viewerId, streamId, `${key}-many`)]);
    return {
      tip: `select ledger.tip('${viewerId}', '${streamId}', 1, '', false, '${key}')`,
      'many tips': `select ledger.tip_many('${many}')`,
      hold: `select ledger.hold('${viewerId}', '${performerId}', null, 1, now() + interval '1 hour', '${key}')`,
      seal: 'select ledger.seal()',
      balance: `select ledger.balances_now('${performerId}'), ledger.balance_now('performer_pending', '${performerId}')`,
      'tips received': `select ledger.tips_received('${performerId}')`,
      'next release': `select ledger.next_release('${performerId}')`,
    };
  };

  beforeAll(async () => {
    grown = await createTestDatabase();
    const people = createMoneyCast(grown);
    const stream = await people.liveStream();
    streamId = stream.streamId;
    performerId = stream.performer.id;
    viewerId = (await people.buyer(5)).user.id;
    // Nobody comes to tell the planner that the tables have grown.
    for (const name of [
      'journal',
      'entries',
      'tips',
      'lots',
      'accounts',
      'sealed',
      'reservations',
    ]) {
      await grown.asOwner(`alter table ledger.${name} set (autovacuum_enabled = off)`);
    }
    for (const name of ['users', 'streams', 'events']) {
      await grown.asOwner(`alter table ${name} set (autovacuum_enabled = off)`);
    }
    // The planner is told once, when every table is a page or two and read fastest as a whole.
    await grown.asOwner('vacuum analyze');
    old = new pg.Client({ connectionString: grown.ownerUrl });
    await old.connect();
    for (let turn = 0; turn < 12; turn += 1) {
      for (const statement of Object.values(acts())) await old.query(statement);
    }
    small = await pagesOf(old);
    await grown.asOwner(
      `begin;
      set local session_replication_role = replica;
      create temporary table many on commit drop as
        select n, uuid_v7() as person, uuid_v7() as act, uuid_v7() as stream, uuid_v7() as tokens, uuid_v7() as prepaid
          from generate_series(1, ${rows}) n;
      insert into users (id, email, username, password_hash, date_of_birth, country)
        select person, n || '@grown', 'grown' || n, 'x', '1990-01-01', 'IN' from many;
      insert into streams (id, performer_id, title, category, state, idempotency_key)
        select stream, person, 'x', 'music', 'live', 'key' from many;
      insert into ledger.accounts (id, class, owner_id, currency, normal_side, guard)
        select tokens, 'viewer_tokens', person, 'TOKEN', 'credit', 'lots' from many
        union all select prepaid, 'viewer_prepaid', person, 'INR', 'credit', 'lots' from many;
      insert into ledger.lots (id, owner_id, account_id, prepaid_account_id, tokens, net_paise, gst_paise,
          tokens_left, paise_left, open)
        select act, person, tokens, prepaid, 50, 5000, 0, 50, 5000, true from many;
      insert into ledger.journal (id, kind, idempotency_key, fingerprint, result, transaction)
        select act, 'tip', 'grown' || n, '', '{}', '3' from many;
      insert into ledger.sealed (position, journal_id, hash) select n + 1000, act, '' from many;
      insert into ledger.blocks (number, first_position, last_position, previous_hash, hash, oldest_at)
        values (1000, 1001, 1000 + ${rows}, '', '', now());
      insert into ledger.entries (journal_id, line, account_id, currency, amount, lot_id)
        select act, line, case line when 1 then tokens else prepaid end, case line when 1 then 'TOKEN' else 'INR' end,
            -1, act
          from many, generate_series(1, 2) line;
      insert into ledger.tips (id, stream_id, viewer_id, performer_id, amount_tokens, earned_paise, fee_paise,
          fee_policy_version, message, anonymous, event_id)
        select act, stream, person, person, 1, 50, 50, 1, '', false, n from many;
      insert into events (stream_id, type, data) select stream, 'tip.received', '{}' from many;
      commit`,
    );
  }, 60_000);
  afterAll(async () => {
    await old.end();
    await grown.close();
  });

  test('a session that began on empty tables touches as few pages as it did then', () =>
    expectFew(old));

  test('also when it makes its plans anew, and nobody has told it that the tables have grown', async () => {
    await old.query('discard plans');
    await expectFew(old);
  });

  test('so does one that begins now', async () => {
    const young = new pg.Client({ connectionString: grown.ownerUrl });
    await young.connect();
    for (let turn = 0; turn < 12; turn += 1) {
      for (const statement of Object.values(acts())) await young.query(statement);
    }
    await expectFew(young);
    await young.end();
  });

  test('a tip moves its lot in place and touches none of the lot’s indexes', async () => {
    const fresh = new pg.Client({ connectionString: grown.ownerUrl });
    await fresh.connect();
    await fresh.query('begin');
    for (let turn = 0; turn < 5; turn += 1) await fresh.query(acts().tip ?? '');
    const { rows: counted } = await fresh.query(
      `select pg_stat_get_xact_tuples_updated('ledger.lots'::regclass) as updated,
        pg_stat_get_xact_tuples_hot_updated('ledger.lots'::regclass) as in_place`,
    );
    await fresh.end();
    expect(counted).toEqual([{ updated: '5', in_place: '5' }]);
  });
});
