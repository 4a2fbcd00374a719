// Discovery among many: pages of the live list are found by indexes, however many streams there are.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';

const live = 20_000;
/** Blocks of 8 KiB that a page may look at; a look at all streams takes more than a thousand. */
const blocksMax = 600;
/** Where few of those that a rank has are wanted. */
const blocksOfFewMax = 2_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.asOwner(`
    begin;
    set local session_replication_role = replica;
    insert into users (email, username, password_hash, date_of_birth, country, role)
      select 'p' || n || '@example.com', 'performer' || n, 'x', '1990-01-01', 'IN', 'performer'
        from generate_series(1, ${live}) n;
    insert into streams (performer_id, title, category, tags, language, state, started_at, idempotency_key)
      select id, 'Evening set ' || n, (array['music', 'talk', 'games', 'dance', 'cooking', 'art'])[n % 6 + 1],
          array['tag-' || n % 500, 'live'], (array['en', 'hi', 'ta', 'bn'])[n % 4 + 1], state,
          now() - n * interval '1 second', state || n
        from (select id, row_number() over (order by id) as n from users) u,
          (values ('live'), ('ended')) s (state);
    insert into stream_media (stream_id, node_id, node_url, audience, tipped_tokens, counted_at)
      select id, 'n', 'ws://n', case when random() < 0.7 then (random() * 1000)::int else 0 end,
          case when random() < 0.3 then (random() * 5000)::int else 0 end, now()
        from streams where state = 'live';
    commit`);
  await database.asOwner('vacuum (analyze) streams');
  await database.asOwner('vacuum (analyze) stream_media');
  await database.asOwner('analyze users');
}, 120_000);
afterAll(() => database.close());

const asked = { limit: 24, viewer: null, countries: [], known: false, mature: false };

const blocksOf = (page: object) =>
  blocksRead(`live_page('${JSON.stringify({ ...asked, ...page })}')`);

/** How many blocks it takes to find something, at most, however the server means to plan. */
async function blocksRead(call: string): Promise<number> {
  const counts: number[] = [];
  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    await client.query(`set plan_cache_mode = ${mode}`);
    // The first call reads the catalogue.
    await client.query(`select ${call}`);
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `explain (analyze, buffers, format json) select ${call}`,
    );
    const plan = rows[0]?.['QUERY PLAN'][0].Plan ?? {};
    counts.push((plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0));
    await client.end();
  }
  return Math.max(...counts);
}

async function pageOf(page: object) {
  const [row] = await database.asOwner<{ page: string }>('select live_page($1) as page', [
    JSON.stringify({ ...asked, ...page }),
  ]);
  const told: { streams: object[]; nextCursor: string } = JSON.parse(row?.page ?? '');
  const [, rank, id] = told.nextCursor.split('.');
  return { streams: told.streams, after: { rank: Number(rank), id } };
}

test.each(['newest', 'viewers', 'tips'])(
  '%s: the first page and the one after it',
  async (sort) => {
    const first = await pageOf({ sort });
    expect(first.streams).toHaveLength(24);
    expect(await blocksOf({ sort })).toBeLessThan(blocksMax);
    expect(await blocksOf({ sort, after: first.after })).toBeLessThan(blocksMax);
    expect(await blocksOf({ sort, category: 'games', language: 'ta' })).toBeLessThan(
      blocksOfFewMax,
    );
  },
);

test('a page far behind, where nobody watches, and a tag that few have', async () => {
  const [row] = await database.asOwner<{ id: string }>(
    `select id from streams where state = 'live' order by id desc offset 10000 limit 1`,
  );
  const after = { rank: 0, id: row?.id };
  expect((await pageOf({ sort: 'viewers', after })).streams).toHaveLength(24);
  expect(await blocksOf({ sort: 'viewers', after })).toBeLessThan(blocksOfFewMax);
  for (const sort of ['newest', 'viewers']) {
    expect(await blocksOf({ sort, tag: 'tag-7' })).toBeLessThan(blocksOfFewMax);
  }
});

test('a search for a few, and for those whose names begin so', async () => {
  const blocksOfSearch = (...words: string[]) => {
    const spellings = words.map((word) => [word]);
    const search = { ...asked, words: spellings, tag: words.join('-'), name: words.join('') };
    return blocksRead(`search_page('${JSON.stringify(search)}')`);
  };
  expect(await blocksOfSearch('evening', '7777')).toBeLessThan(blocksMax);
  expect(await blocksOfSearch('performer1234')).toBeLessThan(blocksMax);
  // Everybody who is live has this word in the title.
  expect(await blocksOfSearch('evening')).toBeLessThan(2 * blocksOfFewMax);
});
