// Tests of the playlists' addresses: who gets in, what blocks, and what is refused.
import { createHmac } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { audiencePartOf, audiencePartsKey, ticketTypes } from '#contract';
import { redisUrl } from '../../testing/services.ts';
import { targetDurationSeconds } from '../hls/limits.ts';
import { startStream, until } from '../testing/bench.ts';
import { problemOf } from '../testing/expectations.ts';
import { nodeSecret } from '../testing/fake-edge.ts';
import { codedH264 } from '../testing/media.ts';
import { readPlaylist } from '../testing/playlist-reader.ts';
import { setStream } from '../testing/stage.ts';

const { stage, stream, live } = setStream({ paces: { endedKeptMs: 1_500 } });

describe('a playlist', () => {
  test('needs a ticket', async () => {
    for (const file of ['master.m3u8', 'video0.m3u8', 'audio.m3u8']) {
      expect(await problemOf(await fetch(live(file)))).toBe('401 unauthenticated');
      expect((await stream.get(file)).status).toBe(200);
    }
  });

  test('counts who reads it among the viewers, by the hash that every node has for them', async () => {
    const redis = new Redis(redisUrl());
    onTestFinished(() => redis.disconnect());
    const subject = crypto.randomUUID();
    const ticket = await stage.bench.edge.ticket(stream.id, { subject });
    expect((await fetch(`${live('video0.m3u8')}?ticket=${ticket}`)).status).toBe(200);
    const hash = createHmac('sha256', nodeSecret).update(`${stream.id}:${subject}`).digest();
    const name = hash.subarray(0, 12).toString('base64url');
    await until('they are counted', async () => {
      const keys = await redis.zrangebyscore(audiencePartsKey, '-inf', '+inf');
      const key = keys.find((each) => audiencePartOf(each)?.streamId === stream.id);
      return key !== undefined && (await redis.smembers(key)).includes(name);
    });
  });

  test('refuses every ticket that is not good', async () => {
    const withTicket = (ticket: string) => fetch(`${live('video0.m3u8')}?ticket=${ticket}`);
    const good = await stage.bench.edge.ticket(stream.id);
    const [head = '', body = '', signature = ''] = good.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const altered = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 9_999 }));
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    const bad = {
      expired: await stage.bench.edge.ticket(stream.id, { expiresInSeconds: -60 }),
      tampered: `${head}.${altered.toString('base64url')}.${signature}`,
      unsigned: `${unsigned}.${body}.`,
      'of another type': await stage.bench.edge.ticket(stream.id, { type: ticketTypes.room }),
      'of no type': await stage.bench.edge.ticket(stream.id, { type: 'JWT' }),
      'of another audience': await stage.bench.edge.ticket(stream.id, { audience: 'room' }),
      'of another issuer': await stage.bench.edge.ticket(stream.id, { issuer: 'somebody' }),
      'of another key': await stage.bench.edge.ticket(stream.id, { foreignKey: true }),
      garbage: 'a.b.c',
      huge: 'x'.repeat(5_000),
    };
    for (const [name, ticket] of Object.entries(bad)) {
      expect(`${name}: ${await problemOf(await withTicket(ticket))}`).toBe(
        `${name}: 401 unauthenticated`,
      );
    }
    const elsewhere = await stage.bench.edge.ticket(crypto.randomUUID());
    expect(await problemOf(await withTicket(elsewhere))).toBe('403 forbidden');
    // The same refusal again, now that its signature is remembered.
    expect(await problemOf(await withTicket(elsewhere))).toBe('403 forbidden');
  });

  test('stops being served to a ticket when the ticket expires', async () => {
    // Five seconds of clock skew are granted.
    const ticket = await stage.bench.edge.ticket(stream.id, { expiresInSeconds: -3 });
    const get = () => fetch(`${live('video0.m3u8')}?ticket=${ticket}`);
    expect((await get()).status).toBe(200);
    await until('the ticket has expired', async () => (await get()).status === 401);
  });

  test('carries the ticket on in the master only, so that caches can share the others', async () => {
    const master = await stream.get('master.m3u8');
    expect(master.headers.get('cache-control')).toBe('private, no-store');
    const text = await master.text();
    expect(text).toContain(`video0.m3u8?ticket=${stream.ticket}`);
    expect(text).toContain(`URI="audio.m3u8?ticket=${stream.ticket}"`);
    const playlist = await stream.get('video0.m3u8');
    expect(playlist.headers.get('cache-control')).toBe('public, max-age=1');
    expect(playlist.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(await playlist.text()).not.toContain(stream.ticket);
  });

  test('is compressed for those who ask', async () => {
    const { hostname, port, pathname, search } = new URL(stream.url('video0.m3u8'));
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const headers = { 'accept-encoding': 'gzip' };
      const ask = httpRequest({ hostname, port, path: pathname + search, headers }, (response) => {
        expect(response.headers['content-encoding']).toBe('gzip');
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks)));
      });
      ask.on('error', reject);
      ask.end();
    });
    expect(readPlaylist(gunzipSync(bytes).toString()).segments.length).toBeGreaterThan(0);
  });
});

describe('a blocking reload', () => {
  async function edge() {
    const playlist = await stream.playlist('video0');
    const last = playlist.segments.at(-1);
    if (!last) throw new Error('empty');
    return { sequence: last.sequence, parts: last.parts.length };
  }

  test('comes back as soon as the part is there, and with it', async () => {
    // A segment that has just begun, so that the next one is nearly a second away.
    const { sequence } = await until('a segment begins', async () => {
      const newest = await edge();
      return newest.parts === 1 ? newest : null;
    });
    const blocked = stream.playlist('video0', `&_HLS_msn=${sequence + 1}&_HLS_part=0`);
    const meanwhile = await stream.playlist('video0');
    expect(meanwhile.segments.some((segment) => segment.sequence > sequence)).toBe(false);
    const found = (await blocked).segments.find((segment) => segment.sequence === sequence + 1);
    expect(found?.parts).toHaveLength(1);
  });

  test('reports the other rendition, close to its edge', async () => {
    const playlist = await stream.playlist('video0');
    const report = playlist.reports.find((each) => each.URI === 'audio.m3u8');
    const last = playlist.segments.at(-1)?.sequence ?? 0;
    expect(Math.abs(Number(report?.['LAST-MSN']) - last)).toBeLessThanOrEqual(1);
    expect(Number(report?.['LAST-PART'])).toBeGreaterThanOrEqual(0);
  });

  test('for a far future, or in nonsense, is refused with 400', async () => {
    const { sequence } = await edge();
    const nonsense = [
      `&_HLS_msn=${sequence + 9}`,
      `&_HLS_msn=${sequence}&_HLS_part=99`,
      '&_HLS_part=1',
      '&_HLS_msn=-1',
      '&_HLS_msn=x',
      '&_HLS_msn=1e30',
      '&_HLS_msn=0x10',
      `&_HLS_msn=${'9'.repeat(400)}`,
      `&_HLS_msn=${sequence}&_HLS_msn=${sequence + 1}`,
      `&_HLS_msn=${sequence}&_HLS_part=0&_HLS_part=1`,
      `&_HLS_msn=${sequence}&_HLS_part=1.5`,
    ];
    for (const query of nonsense) {
      expect(await problemOf(await stream.get('video0.m3u8', query))).toBe('400 malformed-query');
    }
  });

  test('for a far future is refused ten thousand times without harm', async () => {
    const { sequence } = await edge();
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const { hostname, port, pathname, search } = new URL(
      stream.url('video0.m3u8', `&_HLS_msn=${sequence + 1_000}`),
    );
    const statuses = new Set<number | undefined>();
    const ask = () =>
      new Promise<void>((resolve, reject) => {
        const options = { hostname, port, path: pathname + search, agent };
        httpRequest(options, (response) => {
          statuses.add(response.statusCode);
          response.resume().on('end', resolve);
        })
          .on('error', reject)
          .end();
      });
    await Promise.all(Array.from({ length: 10_000 }, ask));
    agent.destroy();
    expect([...statuses]).toEqual([400]);
    expect((await stream.get('video0.m3u8')).status).toBe(200);
  });

  test('checks the ticket before it waits', async () => {
    const { sequence } = await edge();
    const response = await fetch(`${live('video0.m3u8')}?_HLS_msn=${sequence + 1}`);
    expect(await problemOf(response)).toBe('401 unauthenticated');
  });
});

test('a stream that ends is served to its end and then forgotten', {
  timeout: 30_000,
}, async () => {
  const ending = await startStream(stage.bench, { video: await codedH264({ seconds: 2 }) });
  await ending.ready();
  const last = (await ending.playlist('video0')).segments.at(-1)?.sequence ?? 0;
  ending.publisher.muteVideo(true);
  const blocked = ending.playlist('video0', `&_HLS_msn=${last + 1}`);
  stage.bench.edge.assign(ending.id, null);
  // Those who wait are not left waiting.
  expect((await blocked).ended).toBe(true);
  await ending.close();
  const playlist = await ending.playlist('video0');
  expect(playlist.ended).toBe(true);
  expect(playlist.segments.every((segment) => segment.uri !== null)).toBe(true);
  expect(
    playlist.segments.every((each) => each.durationSeconds <= targetDurationSeconds + 0.5),
  ).toBe(true);
  await ending.bytes(playlist.segments.at(-1)?.uri ?? '');
  await until('it is forgotten', async () => (await ending.get('video0.m3u8')).status === 404);
  expect(await problemOf(await ending.get('master.m3u8'))).toBe('404 not-found');
});
