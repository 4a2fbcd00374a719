// The search: what it finds for whom, in which order, and that nothing that is typed breaks it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CreateStreamBody, FoundPerformer, Stream } from '#contract';
import { createStream } from '#db';
import { newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { countRoundTrips } from '../../testing/round-trips.ts';
import { createServerParts } from '../runtime/server.ts';
import { type Cast, createCast, type Member } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterAll(() => edge.close());

async function find(q: string, call = edge.call, more = '') {
  const { status, body } = await call('GET', `/v1/search?q=${encodeURIComponent(q)}${more}`);
  expect(status).toBe(200);
  return {
    live: body.live.map(({ title }: Stream) => title) as string[],
    upcoming: body.upcoming.map(({ title }: Stream) => title) as string[],
    performers: body.performers as FoundPerformer[],
  };
}

const live = (title: string, stream: Partial<CreateStreamBody> = {}, performer?: Member) =>
  cast.live(performer, { title, ...stream });

async function announced(title: string, performer: Member, scheduledAt = '2030-01-01T00:00:00Z') {
  await createStream(
    edge.database.db,
    performer.id,
    { title, category: 'music', scheduledAt },
    newKey(),
  );
}

async function named(username: string, profile: Record<string, string> = {}): Promise<Member> {
  const performer = await cast.member('performer');
  await edge.database.asOwner('update users set username = $2 where id = $1', [
    performer.id,
    username,
  ]);
  const { displayName = '', bio = '', privacy = 'public' } = profile;
  await edge.database.asOwner(
    'insert into profiles (user_id, display_name, bio, privacy) values ($1, $2, $3, $4)',
    [performer.id, displayName, bio, privacy],
  );
  return { ...performer, username };
}

describe('streams', () => {
  test('are found by the words of their titles and by tags, the last word by its beginning', async () => {
    await live('Evening raga on the sitar', { tags: ['late-night', 'vilambit'] });
    await live('Morning raga');
    expect((await find('raga')).live.toSorted()).toEqual([
      'Evening raga on the sitar',
      'Morning raga',
    ]);
    for (const q of [
      'EVENING RAGA',
      'raga sit',
      'vilam',
      'late-night',
      'late nig',
      'sitar, raga!',
    ]) {
      expect([q, (await find(q)).live]).toEqual([q, ['Evening raga on the sitar']]);
    }
    // A word that is not the last one is meant whole.
    expect((await find('sit raga')).live).toEqual([]);
    expect((await find('raga flute')).live).toEqual([]);
  });

  test('rank by where the words are, and those that are watched most come first', async () => {
    await live('Chess and talk', { tags: ['openings'] });
    await live('Openings for beginners');
    const crowded = await live('Openings for experts');
    await edge.database.asOwner(
      `insert into stream_media (stream_id, node_id, node_url, audience) values ($1, 'n', 'ws://n', 9)`,
      [crowded.streamId],
    );
    expect((await find('openings')).live).toEqual([
      'Openings for experts',
      'Openings for beginners',
      'Chess and talk',
    ]);
  });

  test('of later are found beside those that are live, the next one first; what is over or past is not', async () => {
    const performer = await cast.member('performer');
    await announced('Kathak next year', performer, '2031-01-01T00:00:00Z');
    await announced('Kathak soon', performer, '2030-01-01T00:00:00Z');
    await announced('Kathak long ago', performer, '2020-01-01T00:00:00Z');
    const over = await live('Kathak that is over');
    await over.performer.call('POST', `/v1/streams/${over.streamId}/end`);
    await live('Kathak now');
    const found = await find('kathak');
    expect(found.live).toEqual(['Kathak now']);
    expect(found.upcoming).toEqual(['Kathak soon', 'Kathak next year']);
  });

  test('that are not public, of the class mature, or hidden from who asks are not found', async () => {
    await live('Secret zither', { visibility: 'unlisted' });
    await live('Sold zither', { visibility: 'ticketed', entryTokens: 5 });
    await live('Mature zither', { contentClass: 'mature' });
    const hiding = await live('Hiding zither');
    await edge.database.asOwner('insert into country_blocks values ($1, $2)', [
      hiding.performer.id,
      'FR',
    ]);
    expect((await find('zither')).live).toEqual([]);
    expect((await find('zither', await edge.guest('FR'), '&mature=true')).live).toEqual([
      'Mature zither',
    ]);
    expect((await find('zither', await edge.guest('IN'))).live).toEqual(['Hiding zither']);
    const blocked = await cast.member();
    await edge.database.asOwner(
      `insert into relations (from_id, kind, to_id) values ($1, 'block', $2)`,
      [hiding.performer.id, blocked.id],
    );
    expect((await find('zither', blocked.call)).live).toEqual([]);
  });
});

describe('performers', () => {
  const names = ({ performers }: { performers: FoundPerformer[] }) =>
    performers.map(({ username }) => username);

  test('are found by the beginning of their names, whose name it is first, with their streams', async () => {
    const tara = await named('Tara');
    await named('tara_sings');
    await named('sings_tara');
    await live('Nothing to do with it', {}, tara);
    await announced('Also hers', tara);
    const found = await find('tara');
    expect(names(found)).toEqual(['Tara', 'tara_sings']);
    expect(found.live).toEqual(['Nothing to do with it']);
    expect(found.upcoming).toEqual(['Also hers']);
    expect(found.performers[0]?.liveStreamId).not.toBeNull();
    expect(names(await find('@TARA_S'))).toEqual(['tara_sings']);
  });

  test('show the rest of their profiles to whom they want, and are found by it by nobody else', async () => {
    const profile = { displayName: 'Zubin', bio: 'plays the theremin' };
    const open = await named('open_one', profile);
    const members = await named('members_one', { ...profile, privacy: 'members' });
    const followers = await named('followers_one', { ...profile, privacy: 'followers' });
    const follower = await cast.member();
    await edge.database.asOwner(
      `insert into relations (from_id, kind, to_id) values ($1, 'follow', $2)`,
      [follower.id, followers.id],
    );
    expect(names(await find('theremin'))).toEqual([open.username]);
    expect(names(await find('theremin', await edge.guest()))).toEqual([open.username]);
    expect(names(await find('theremin', (await cast.member()).call)).toSorted()).toEqual([
      members.username,
      open.username,
    ]);
    expect(names(await find('zubin', follower.call))).toHaveLength(3);
    expect(names(await find('zubin', followers.call))).toContain(followers.username);
    // The name itself is no secret; what they call themselves is.
    expect((await find('followers_one')).performers).toEqual([
      { id: followers.id, username: 'followers_one', displayName: null, liveStreamId: null },
    ]);
    expect((await find('followers_one', follower.call)).performers[0]?.displayName).toBe('Zubin');
  });

  test('who are banned, or about to be erased, and people who do not perform are not found', async () => {
    const [banned, leaving] = [await named('gone_banned'), await named('gone_leaving')];
    await edge.database.asOwner('update users set banned_at = now() where id = $1', [banned.id]);
    await edge.database.asOwner('update users set erase_at = now() where id = $1', [leaving.id]);
    const viewer = await cast.member();
    await edge.database.asOwner(`update users set username = 'gone_viewer' where id = $1`, [
      viewer.id,
    ]);
    expect(names(await find('gone'))).toEqual([]);
  });
});

describe('whatever is typed', () => {
  test('five hundred times anything at all is an answer, and never a fault of ours', async () => {
    const alphabet = [
      ...'abz019 \'"\\|&!:*()<->@#%_;,.?=+[]{}~^$/`-',
      ...['é', 'É', 'ß', 'क', 'ा', '́', '👩‍🎤', '\u0000', '\n', '\t', '\u202e', '\ud800', 'ｱ', 'ﬁ'],
      ...[' or ', ' and ', ' not ', ':*', "''", '--', '/*', '<1>', 'null', '\\x'],
    ];
    const any = (max: number) => Math.floor(Math.random() * max);
    const guest = await edge.guest();
    for (let round = 0; round < 500; round += 1) {
      const q = Array.from({ length: 1 + any(30) }, () => alphabet[any(alphabet.length)]).join('');
      const path = `/v1/search?q=${encodeURIComponent(q.toWellFormed())}`;
      const headers = { 'x-test-address': `2001:db8:1:${round}::1` };
      const { status } = await guest('GET', path, { headers });
      expect([200, 422], JSON.stringify(q)).toContain(status);
      if (q.trim() !== '' && q.trim().length <= 100) expect(status, JSON.stringify(q)).toBe(200);
    }
  });

  test('too much and nothing are refused, words without letters find nothing', async () => {
    for (const q of ['', '   ', 'x'.repeat(101)]) {
      const refused = await edge.call('GET', `/v1/search?q=${encodeURIComponent(q)}`);
      expect([refused.status, refused.body.code]).toEqual([422, 'invalid-request']);
    }
    expect(await find('!!! -- ???')).toEqual({ live: [], upcoming: [], performers: [] });
    // Of many words the first eight count.
    await live('one two three four five six seven eight');
    expect((await find('one two three four five six seven eight nine')).live).toHaveLength(1);
  });
});

test('an answer for strangers is shared, and takes one round trip', async () => {
  const { headers } = await edge.call('GET', '/v1/search?q=raga');
  expect(headers.get('cache-control')).toMatch(/^public/);
  const counter = await countRoundTrips(edge.database.url);
  const parts = await createServerParts({ ...edge.env, DATABASE_URL: counter.url }, 'edge');
  const ask = () => parts.fetch(new Request(`${edge.url}/v1/search?q=raga`), '127.0.0.1');
  await ask();
  counter.take();
  expect((await ask()).status).toBe(200);
  expect(counter.take()).toBe(1);
  await parts.close();
  await counter.close();
});
