// Discovery: what the list of who is live shows to whom, in which order, page by page; and what caches may keep of it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CreateStreamBody, LiveSort } from '#contract';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { countRoundTrips } from '../../testing/round-trips.ts';
import { createServerParts } from '../runtime/server.ts';
import { type Cast, createCast } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterAll(() => edge.close());

type Facts = { audience?: number; tipped?: number };

/** A live stream with what was counted of it. */
async function onAir(stream: Partial<CreateStreamBody> = {}, facts: Facts = {}) {
  const live = await cast.live(undefined, stream);
  await edge.database.asOwner(
    `insert into stream_media (stream_id, node_id, node_url, audience, tipped_tokens, counted_at)
      values ($1, 'n', 'ws://127.0.0.1:1/room', $2, $3, now())`,
    [live.streamId, facts.audience ?? 0, facts.tipped ?? 0],
  );
  return live;
}

const count = (streamId: string, audience: number) =>
  edge.database.asOwner('update stream_media set audience = $2 where stream_id = $1', [
    streamId,
    audience,
  ]);

async function listed(query: string, call = edge.call): Promise<string[]> {
  const { body } = await call('GET', `/v1/streams?limit=50&${query}`);
  return body.streams.map(({ id }: { id: string }) => id);
}

/** The ids of all pages, and what happens between the first and the second. */
async function paged(query: string, limit: number, between = async () => {}): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | null = '';
  for (let page = 0; cursor !== null; page += 1) {
    if (page === 1) await between();
    const path: string = `/v1/streams?limit=${limit}&${query}${cursor && `&cursor=${cursor}`}`;
    const { body } = await edge.call('GET', path);
    expect(body.streams.length).toBeGreaterThan(0);
    seen.push(...body.streams.map(({ id }: { id: string }) => id));
    cursor = body.nextCursor;
  }
  return seen;
}

test('category, tag and language narrow the list, each and together', async () => {
  const piano = await onAir({ category: 'art', tags: ['piano', 'jazz'], language: 'hi' });
  const brush = await onAir({ category: 'art', tags: ['brush'], language: 'en' });
  const other = await onAir({ category: 'cooking', tags: ['piano'], language: 'en' });
  expect(await listed('category=art')).toEqual([brush.streamId, piano.streamId]);
  expect(await listed('tag=Piano')).toEqual([other.streamId, piano.streamId]);
  expect(await listed('language=hi')).toEqual([piano.streamId]);
  expect(await listed('category=art&tag=piano&language=hi')).toEqual([piano.streamId]);
  expect(await listed('category=art&tag=piano&language=en')).toEqual([]);
  for (const wrong of ['tag=not%20a%20tag', 'language=english', 'sort=best', 'category=sleep']) {
    const refused = await edge.call('GET', `/v1/streams?${wrong}`);
    expect([wrong, refused.status, refused.body.code]).toEqual([wrong, 422, 'invalid-request']);
  }
});

describe('an order', () => {
  const category = 'category=games';
  const made: Record<string, string> = {};
  beforeAll(async () => {
    const facts: Record<string, Facts> = {
      quiet: {},
      crowded: { audience: 90 },
      tipped: { audience: 5, tipped: 700 },
      both: { audience: 40, tipped: 300 },
      still: {},
      twin: { audience: 40 },
    };
    for (const [name, each] of Object.entries(facts)) {
      made[name] = (await onAir({ category: 'games' }, each)).streamId;
    }
  });
  const ids = (...names: string[]) => names.map((name) => made[name]);
  const orders: Record<LiveSort, string[]> = {
    newest: ['twin', 'still', 'both', 'tipped', 'crowded', 'quiet'],
    viewers: ['crowded', 'twin', 'both', 'tipped', 'still', 'quiet'],
    tips: ['tipped', 'both', 'twin', 'still', 'crowded', 'quiet'],
  };

  test.each(Object.entries(orders))(
    'by %s is the same on one page and on many',
    async (sort, names) => {
      const wanted = ids(...names);
      expect(await listed(`${category}&sort=${sort}`)).toEqual(wanted);
      for (const limit of [1, 2, 5]) {
        expect(await paged(`${category}&sort=${sort}`, limit)).toEqual(wanted);
      }
    },
  );

  test('goes on behind the last stream of the page before, whoever comes and goes meanwhile', async () => {
    let late = '';
    const seen = await paged(`${category}&sort=viewers`, 2, async () => {
      late = (await onAir({ category: 'games' }, { audience: 1_000 })).streamId;
      // The one at which the page before has ended is not there any more.
      await count(made.twin ?? '', 0);
    });
    await count(made.twin ?? '', 40);
    expect(seen.slice(0, 5)).toEqual(ids('crowded', 'twin', 'both', 'tipped', 'twin'));
    expect(seen).not.toContain(late);
    expect(new Set(seen)).toEqual(new Set(Object.values(made)));
    await edge.database.asOwner('update streams set category = $2 where id = $1', [late, 'talk']);
  });

  test('is kept to by its cursors: one of another order is refused, and so is nonsense', async () => {
    const { body } = await edge.call('GET', `/v1/streams?limit=1&sort=viewers&${category}`);
    const cursors = [
      body.nextCursor,
      'x',
      'newest.1',
      `newest.-1.${made.twin}`,
      'newest.1.x',
      'tips..',
    ];
    for (const cursor of cursors) {
      const refused = await edge.call('GET', `/v1/streams?sort=newest&cursor=${cursor}`);
      expect([refused.status, refused.body.code]).toEqual([422, 'invalid-request']);
      expect(refused.body.errors[0].path).toBe('cursor');
    }
  });
});

describe('who is shown a stream', () => {
  const shows = async (streamId: string, call: TestEdge['call'], query = '') =>
    (await listed(query, call)).includes(streamId);

  test('nobody who has blocked its performer, is blocked by them, or banned from their rooms', async () => {
    const { performer, streamId } = await onAir();
    const relate = (from: string, to: string) =>
      edge.database.asOwner(
        `insert into relations (from_id, kind, to_id) values ($1, 'block', $2)`,
        [from, to],
      );
    const [blocking, blocked, banned, free] = [
      await cast.member(),
      await cast.member(),
      await cast.member(),
      await cast.member(),
    ];
    await relate(blocking.id, performer.id);
    await relate(performer.id, blocked.id);
    await performer.call('PUT', `/v1/streams/${streamId}/bans/${banned.id}`, {
      body: { kind: 'banned' },
    });
    expect(await shows(streamId, blocking.call)).toBe(false);
    expect(await shows(streamId, blocked.call)).toBe(false);
    expect(await shows(streamId, banned.call)).toBe(false);
    expect(await shows(streamId, free.call)).toBe(true);
    expect(await shows(streamId, edge.call)).toBe(true);
  });

  test('nobody in a country that its performer has left out, and no stranger, who may be there', async () => {
    const { performer, streamId } = await onAir();
    await edge.database.asOwner('insert into country_blocks values ($1, $2)', [performer.id, 'FR']);
    const french = await cast.member();
    await edge.database.asOwner(`update users set country = 'FR' where id = $1`, [french.id]);
    expect(await shows(streamId, french.call)).toBe(false);
    expect(await shows(streamId, await edge.guest('FR'))).toBe(false);
    expect(await shows(streamId, edge.call)).toBe(false);
    expect(await shows(streamId, await edge.guest('IN'))).toBe(true);
    expect(await shows(streamId, (await cast.member()).call)).toBe(true);
    expect(await shows(streamId, performer.call)).toBe(true);
  });

  test('of the class mature only whoever is known to be an adult and asks for it', async () => {
    const { streamId } = await onAir({ contentClass: 'mature' });
    const guest = await edge.guest();
    expect(await shows(streamId, guest)).toBe(false);
    expect(await shows(streamId, guest, 'mature=true')).toBe(true);
    expect(await shows(streamId, edge.call, 'mature=true')).toBe(false);
  });
});

test('staff who end streams see those that no list shows', async () => {
  const unlisted = await onAir({ visibility: 'unlisted' });
  const mature = await onAir({ contentClass: 'mature' });
  const { call } = await cast.member('moderator');
  const { body } = await call('GET', '/v1/streams/every?limit=2');
  expect(body.streams.map(({ id }: { id: string }) => id)).toEqual([
    mature.streamId,
    unlisted.streamId,
  ]);
  expect(body.nextCursor).toBe(unlisted.streamId);
  expect((await mature.performer.call('GET', '/v1/streams/every')).status).toBe(403);
});

describe('caches', () => {
  const path = '/v1/streams?category=dance';

  test('may share what strangers are told, and nothing that somebody alone is told', async () => {
    const stranger = await edge.call('GET', path);
    expect(stranger.headers.get('cache-control')).toBe(
      'public, max-age=2, s-maxage=5, stale-while-revalidate=10',
    );
    const member = await cast.member();
    for (const call of [member.call, await edge.guest()]) {
      expect((await call('GET', path)).headers.get('cache-control')).toBe('private, max-age=2');
    }
    for (const call of [edge.call, member.call]) {
      const vary = (await call('GET', path)).headers.get('vary')?.toLowerCase();
      expect(vary).toContain('authorization');
      expect(vary).toContain('cookie');
    }
  });

  test('hear that nothing has changed, until something has', async () => {
    const first = await edge.call('GET', path);
    const etag = first.headers.get('etag') ?? '';
    const again = (tags: string) => edge.call('GET', path, { headers: { 'if-none-match': tags } });
    for (const tags of [etag, `"other", ${etag}`, etag.replace('W/', ''), '*']) {
      const same = await again(tags);
      expect([tags, same.status, same.body]).toEqual([tags, 304, '']);
      expect(same.headers.get('etag')).toBe(etag);
      expect(same.headers.get('cache-control')).toBe(first.headers.get('cache-control'));
    }
    expect((await again('"other"')).status).toBe(200);
    await onAir({ category: 'dance' });
    const changed = await again(etag);
    expect(changed.status).toBe(200);
    expect(changed.body.streams).toHaveLength(1);
  });
});

test('a page is one round trip to the database, for strangers and for members', async () => {
  const counter = await countRoundTrips(edge.database.url);
  const parts = await createServerParts({ ...edge.env, DATABASE_URL: counter.url }, 'edge');
  const { token } = await cast.member();
  const ask = async (headers: Record<string, string>) => {
    const request = new Request(`${edge.url}/v1/streams?sort=viewers`, { headers });
    expect((await parts.fetch(request, '127.0.0.1')).status).toBe(200);
  };
  await ask({});
  counter.take();
  for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
    await ask(headers);
    expect(counter.take()).toBe(1);
  }
  await parts.close();
  await counter.close();
});
