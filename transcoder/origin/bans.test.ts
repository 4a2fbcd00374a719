// Tests of bans and log-outs: who is sent away gets no playlist and no media any longer, and nobody else notices.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { controlChannel, type Revocation } from '#contract';
import { type RunningRedis, startRedis } from '../../testing/redis.ts';
import { renewedPathMsMax } from '../hls/limits.ts';
import { measureBan } from '../testing/banned-viewer.ts';
import { type Bench, type Stream, startBench, startStream, until } from '../testing/bench.ts';
import { problemOf } from '../testing/expectations.ts';
import { type Follower, startFollower } from '../testing/follower.ts';
import { codedH264, codedOpus } from '../testing/media.ts';

const playlistMsMax = 1_000;
const lastByteMsMax = 10_000;
/** On a machine that does other things as well, the tests' own timers are late. */
const lateMsMax = 500;
const stallMsMax = 2_000;
const bansMax = 20;
/** What was told of while the word went round: a part that was waited for, and those of a renewal that had to wait. */
const guessedPartsMax = 3;

let redis: RunningRedis;
let teller: Redis;
let bench: Bench;

beforeAll(async () => {
  // One of its own: no other test is to send anybody away here.
  redis = await startRedis();
  teller = new Redis(redis.url);
  bench = await startBench({ redisUrl: redis.url });
});

afterAll(async () => {
  await bench.close();
  teller.disconnect();
  await redis.stop();
});

async function open(on: Bench = bench): Promise<Stream> {
  const [video, audio] = await Promise.all([codedH264({ seconds: 4 }), codedOpus({ seconds: 4 })]);
  const stream = await startStream(on, { video, audio });
  onTestFinished(() => stream.close());
  await stream.ready();
  return stream;
}

const folderOf = (stream: Stream, on: Bench = bench) => `${on.service.url}/live/${stream.id}/`;

async function follow(
  stream: Stream,
  wishes: { subject: string; name?: string; media?: boolean; on?: Bench },
): Promise<Follower> {
  const { subject, name = 'video0', media = false, on = bench } = wishes;
  const ticket = await on.edge.ticket(stream.id, { subject, sessionId: null });
  const follower = startFollower({ folder: folderOf(stream, on), name, ticket, media });
  onTestFinished(() => follower.stop());
  return follower;
}

async function tell(revocation: Revocation): Promise<void> {
  await teller.publish(controlChannel, JSON.stringify({ type: 'revoked', revocation }));
}

async function ban(subject: string): Promise<void> {
  await tell(bench.edge.revoke({ kind: 'user', subject, streamId: null }));
}

async function hasListed(follower: Follower, seconds: number): Promise<void> {
  await until(
    'the playlist is long',
    () => {
      const segments = follower.playlist?.segments ?? [];
      return segments.reduce((sum, each) => sum + each.durationSeconds, 0) >= seconds;
    },
    40_000,
  );
}

/** Waits until so many more parts have come. */
async function partsLater(follower: Follower, parts: number): Promise<void> {
  const versions = follower.counts.versions + parts;
  await until('more parts', () => follower.counts.versions >= versions);
}

describe('after a ban', () => {
  test('the last byte comes within 10 s and playlists within 1 s, and other players go on', {
    timeout: 120_000,
  }, async () => {
    const stream = await open();
    const folder = folderOf(stream);
    const others = await Promise.all([
      follow(stream, { subject: 'other', media: true }),
      follow(stream, { subject: 'other', name: 'audio', media: true }),
    ]);
    const banned = await Promise.all(
      Array.from({ length: bansMax }, (_, index) =>
        follow(stream, { subject: `banned-${index}`, name: index % 2 ? 'audio' : 'video0' }),
      ),
    );
    const [other] = others;
    await hasListed(other, 15);
    const measured: ReturnType<typeof measureBan>[] = [];
    for (const [index, viewer] of banned.entries()) {
      await ban(`banned-${index}`);
      measured.push(measureBan(viewer, folder, lastByteMsMax));
      // Sometimes one after the other, sometimes nearly at once.
      await partsLater(other, index % 8);
    }
    const results = await Promise.all(measured);
    for (const { playlistMs, lastByteMs, cachedMs, guessedMax, left } of results) {
      expect(playlistMs).toBeLessThan(playlistMsMax);
      expect(lastByteMs).toBeLessThan(renewedPathMsMax + lateMsMax);
      expect(cachedMs).toBeLessThan(renewedPathMsMax + lateMsMax);
      expect(guessedMax).toBeLessThanOrEqual(guessedPartsMax);
      expect(left).toEqual([]);
    }
    // Those who stay have everything, and more of it comes.
    await partsLater(other, 10);
    for (const { faults, gapMsMax, counts, refusal } of others) {
      expect([...faults]).toEqual([]);
      expect(refusal).toBeNull();
      expect(gapMsMax).toBeLessThan(stallMsMax);
      expect(counts.parts).toBeGreaterThan(60);
      expect(counts.behind).toBeGreaterThan(10);
    }
  });

  test('waiting playlist requests of a revoked ticket end at once, and no others', {
    timeout: 60_000,
  }, async () => {
    const stream = await open();
    const { id } = stream;
    const ticket = (subject: string) => bench.edge.ticket(id, { subject });
    const [gone, staying] = await Promise.all([ticket('impatient'), ticket('patient')]);
    const last = (await stream.playlist('video0')).segments.at(-1)?.sequence ?? 0;
    // All of the next segment: that is more than a second away.
    const wait = (with_: string, file: string) =>
      fetch(`${folderOf(stream)}${file}.m3u8?ticket=${with_}&_HLS_msn=${last + 1}`);
    const waiting = ['video0', 'audio', 'video0'].map((file) => wait(gone, file));
    const patient = wait(staying, 'video0');
    // They are there when this one is answered.
    await stream.playlist('video0');
    const startMs = performance.now();
    await ban('impatient');
    for (const response of await Promise.all(waiting)) {
      expect(await problemOf(response)).toBe('401 unauthenticated');
    }
    expect(performance.now() - startMs).toBeLessThan(lateMsMax);
    const meanwhile = (await stream.playlist('video0')).segments;
    expect(meanwhile.some(({ sequence, uri }) => sequence > last && uri !== null)).toBe(false);
    expect((await patient).status).toBe(200);
  });

  test('a log-out ends the tickets of that session, and a new ticket admits again', async () => {
    const stream = await open();
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
    const ticket = (sessionId: string) => bench.edge.ticket(stream.id, { sessionId });
    const status = async (with_: string) =>
      (await fetch(`${folderOf(stream)}master.m3u8?ticket=${with_}`)).status;
    const [out, stays] = [await ticket(one), await ticket(other)];
    expect(await status(out)).toBe(200);
    await tell(bench.edge.revoke({ kind: 'session', subject: one, streamId: null }));
    await until('it is ended', async () => (await status(out)) === 401, playlistMsMax);
    expect(await status(stays)).toBe(200);
    expect(await status(await ticket(one))).toBe(200);
  });

  test('a stream that nobody revoked watches keeps its names, and all of its playlist', {
    timeout: 90_000,
  }, async () => {
    const [watched, quiet] = await Promise.all([open(), open()]);
    const [busy, calm] = await Promise.all([
      follow(watched, { subject: 'stays' }),
      follow(quiet, { subject: 'stays' }),
    ]);
    await Promise.all([hasListed(busy, 12), hasListed(calm, 12)]);
    const calmNames = namesIn(calm);
    const busyFrom = busy.playlist?.mediaSequence ?? 0;
    const calmFrom = calm.playlist?.mediaSequence ?? 0;
    await bench.edge.ticket(quiet.id, { subject: 'never-came' });
    await ban('never-came');
    for (let round = 0; round < 3; round++) {
      const leaves = await follow(watched, { subject: `leaves-${round}` });
      await partsLater(leaves, 2);
      await ban(`leaves-${round}`);
      await until('it is refused', () => leaves.refusal);
    }
    await partsLater(calm, 5);
    expect(busy.playlist?.mediaSequence).toBeGreaterThan(busyFrom + 3);
    expect(namesIn(busy).size).toBeGreaterThan(3);
    // It would have grown by now, and nothing has left it.
    expect(calm.playlist?.mediaSequence).toBeLessThanOrEqual(calmFrom + 1);
    expect([...namesIn(calm)].filter((name) => !calmNames.has(name)).length).toBeLessThanOrEqual(1);
  });
});

function namesIn(follower: Follower): Set<string> {
  return new Set([...follower.known].map((uri) => uri.split('/')[0] ?? ''));
}

describe('what Redis lost', () => {
  test('the next report brings, still within 10 s', { timeout: 90_000 }, async () => {
    const deaf = await startBench({
      redisUrl: 'redis://127.0.0.1:1',
      paces: { reportIntervalMs: 2_000 },
    });
    onTestFinished(() => deaf.close());
    const stream = await open(deaf);
    const viewer = await follow(stream, { subject: 'banned', on: deaf });
    await hasListed(viewer, 10);
    deaf.edge.revoke({ kind: 'user', subject: 'banned', streamId: null });
    const { lastByteMs, left } = await measureBan(viewer, folderOf(stream, deaf), lastByteMsMax);
    expect(lastByteMs).toBeLessThan(lastByteMsMax);
    expect(left).toEqual([]);
  });

  test('is asked for at once when something newer is heard', { timeout: 30_000 }, async () => {
    const slow = await startBench({
      redisUrl: redis.url,
      paces: { reportIntervalMs: 60_000 },
    });
    onTestFinished(() => slow.close());
    const streamId = crypto.randomUUID();
    const ticket = await slow.edge.ticket(streamId, { subject: 'lost' });
    const status = async () =>
      (await fetch(`${slow.service.url}/live/${streamId}/master.m3u8?ticket=${ticket}`)).status;
    await until('Redis is heard', async () => {
      const counts = await teller.pubsub('NUMSUB', controlChannel);
      return Number(counts[1]) >= 2;
    });
    // One at the start, and one when Redis was there.
    await until('the first reports', () => slow.edge.reports.length >= 2);
    expect(await status()).toBe(404);
    slow.edge.revoke({ kind: 'user', subject: 'lost', streamId: null });
    const heard = slow.edge.revoke({ kind: 'user', subject: 'other', streamId: null });
    await tell(heard);
    await until('it is ended', async () => (await status()) === 401, playlistMsMax);
    await until('all are known', () => {
      const known = slow.edge.reports.at(-1)?.revocationsKnown ?? 0;
      return known >= heard.number - 2;
    });
  });
});
