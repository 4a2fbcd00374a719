// Tests of the origin: who gets in, what blocks, and what is refused.
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Health, ProblemDocument } from '#contract';
import { redisUrl } from '../../testing/services.ts';
import { targetDurationSeconds } from '../hls/limits.ts';
import {
  type Bench,
  pageOrigin,
  type Stream,
  startBench,
  startStream,
  until,
} from '../testing/bench.ts';
import { codedH264, codedOpus } from '../testing/media.ts';
import { readPlaylist } from '../testing/playlist-reader.ts';

let bench: Bench;
let stream: Stream;

beforeAll(async () => {
  const [started, video, audio] = await Promise.all([
    startBench({
      redisUrl: redisUrl(),
      paces: { thumbnailIntervalMs: 300, endedKeptMs: 1_500 },
    }),
    codedH264({ seconds: 4 }),
    codedOpus({ seconds: 4 }),
  ]);
  bench = started;
  stream = await startStream(bench, { video, audio });
  await stream.ready();
});

afterAll(async () => {
  await stream.close();
  await bench.close();
});

const live = (path: string) => `${bench.service.url}/live/${stream.id}/${path}`;

async function problem(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const document = ProblemDocument.parse(await response.json());
  expect(document.status).toBe(response.status);
  return `${response.status} ${document.code}`;
}

describe('a playlist', () => {
  test('needs a ticket', async () => {
    for (const file of ['master.m3u8', 'video0.m3u8', 'audio.m3u8']) {
      expect(await problem(await fetch(live(file)))).toBe('401 unauthenticated');
      expect((await stream.get(file)).status).toBe(200);
    }
  });

  test('refuses every ticket that is not good', async () => {
    const withTicket = (ticket: string) => fetch(`${live('video0.m3u8')}?ticket=${ticket}`);
    const good = await bench.edge.ticket(stream.id);
    const [head = '', body = '', signature = ''] = good.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const altered = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 9_999 }));
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    const bad = {
      expired: await bench.edge.ticket(stream.id, { expiresInSeconds: -60 }),
      tampered: `${head}.${altered.toString('base64url')}.${signature}`,
      unsigned: `${unsigned}.${body}.`,
      'of another audience': await bench.edge.ticket(stream.id, { audience: 'room' }),
      'of another issuer': await bench.edge.ticket(stream.id, { issuer: 'somebody' }),
      'of another key': await bench.edge.ticket(stream.id, { foreignKey: true }),
      garbage: 'a.b.c',
      huge: 'x'.repeat(5_000),
    };
    for (const [name, ticket] of Object.entries(bad)) {
      expect(`${name}: ${await problem(await withTicket(ticket))}`).toBe(
        `${name}: 401 unauthenticated`,
      );
    }
    const elsewhere = await bench.edge.ticket(crypto.randomUUID());
    expect(await problem(await withTicket(elsewhere))).toBe('403 forbidden');
    // The same refusal again, now that its signature is remembered.
    expect(await problem(await withTicket(elsewhere))).toBe('403 forbidden');
  });

  test('stops being served to a ticket when the ticket expires', async () => {
    // Five seconds of clock skew are granted.
    const ticket = await bench.edge.ticket(stream.id, { expiresInSeconds: -3 });
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
    const { sequence } = await edge();
    const query = `&_HLS_msn=${sequence + 1}&_HLS_part=0`;
    const blocked = stream.playlist('video0', query);
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
      '&_HLS_msn=1e3',
      `&_HLS_msn=${sequence}&_HLS_part=1.5`,
    ];
    for (const query of nonsense) {
      expect(await problem(await stream.get('video0.m3u8', query))).toBe('400 malformed-query');
    }
  });

  test('checks the ticket before it waits', async () => {
    const { sequence } = await edge();
    const response = await fetch(`${live('video0.m3u8')}?_HLS_msn=${sequence + 1}`);
    expect(await problem(response)).toBe('401 unauthenticated');
  });
});

describe('media', () => {
  test('is served by its address alone, for long, and whole', async () => {
    const playlist = await stream.playlist('video0');
    const [segment] = playlist.segments;
    const response = await fetch(live(segment?.uri ?? ''));
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600, immutable');
    expect(response.headers.get('content-type')).toBe('video/mp4');
    const whole = Buffer.from(await response.arrayBuffer());
    const parts = await Promise.all((segment?.parts ?? []).map((part) => stream.bytes(part.uri)));
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
  });

  test('that is hinted comes when it is complete', async () => {
    const { hintUri } = await stream.playlist('video0');
    const hinted = await stream.bytes(hintUri ?? '');
    const playlist = await stream.playlist('video0');
    const listed = playlist.segments.flatMap((segment) => segment.parts.map((part) => part.uri));
    expect(listed).toContain(hintUri);
    expect((await stream.bytes(hintUri ?? '')).equals(hinted)).toBe(true);
  });

  test('lies under a name that cannot be guessed, which thumbnails do not give away', async () => {
    const playlist = await stream.playlist('video0');
    const token = playlist.segments[0]?.uri?.split('/')[0] ?? '';
    // 128 random bits in base64url.
    expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/);
    const thumbnailUrl = await until(
      'a thumbnail',
      () => bench.edge.reports.at(-1)?.jobs.find((job) => job.streamId === stream.id)?.thumbnailUrl,
    );
    expect(thumbnailUrl).toMatch(/\/[A-Za-z0-9_-]{22}\/thumbnail-\d+\.jpg$/);
    expect(thumbnailUrl).not.toContain(token);
    const guessed = playlist.segments[0]?.uri?.replace(token, 'A'.repeat(22)) ?? '';
    expect(await problem(await fetch(live(guessed)))).toBe('404 not-found');
  });

  test('beyond the edge, or of other files, is not there', async () => {
    const playlist = await stream.playlist('video0');
    const token = playlist.segments[0]?.uri?.split('/')[0] ?? '';
    const last = playlist.segments.at(-1)?.sequence ?? 0;
    const strange = [
      `${token}/video0/segment-${last + 5}.m4s`,
      `${token}/video9/part-0.m4s`,
      `${token}/../../../etc/passwd`,
      '..%2f..%2fetc%2fpasswd',
      '%2e%2e/config.ts',
      'video0.m3u8/../../config.ts',
      `${token}/video0/part-0.m4s%00.jpg`,
      'constructor',
      '__proto__/video0/part-0.m4s',
    ];
    for (const path of strange) {
      expect(await problem(await rawGet(`/live/${stream.id}/${path}`))).toBe('404 not-found');
    }
    for (const path of ['/', '/live/', '/live/x/master.m3u8', '//', '/live/../healthz']) {
      expect(await problem(await rawGet(path))).toBe('404 not-found');
    }
  });
});

describe('a thumbnail', () => {
  test('is a small JPEG, and the latest two are kept', async () => {
    const url = () =>
      bench.edge.reports.at(-1)?.jobs.find((job) => job.streamId === stream.id)?.thumbnailUrl;
    const first = await until('a thumbnail', url);
    const response = await fetch(first);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    const jpeg = Buffer.from(await response.arrayBuffer());
    expect(jpeg.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
    // Start of frame: height and width lie behind it.
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    expect([jpeg.readUInt16BE(frame + 7), jpeg.readUInt16BE(frame + 5)]).toEqual([480, 270]);
    await until('a newer one', () => url() !== first);
    await until('the first is forgotten', async () => (await fetch(first)).status === 404);
  });
});

describe('a browser', () => {
  test('may read from pages of ours only', async () => {
    const ask = (origin: string) => fetch(stream.url('video0.m3u8'), { headers: { origin } });
    const allowed = await ask(pageOrigin);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(pageOrigin);
    expect(allowed.headers.get('vary')).toContain('origin');
    const stranger = await ask('http://elsewhere.test');
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
    // Refusals must be readable as well, or a player could not tell why.
    const refused = await fetch(live('video0.m3u8'), { headers: { origin: pageOrigin } });
    expect(refused.headers.get('access-control-allow-origin')).toBe(pageOrigin);
  });

  test('may ask first', async () => {
    const response = await fetch(stream.url('video0.m3u8'), {
      method: 'OPTIONS',
      headers: { origin: pageOrigin, 'access-control-request-method': 'GET' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, HEAD, OPTIONS');
  });

  test('may ask for the head alone', async () => {
    const response = await fetch(stream.url('video0.m3u8'), { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(100);
    expect(await response.text()).toBe('');
  });

  test('may not write', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const response = await fetch(stream.url('video0.m3u8'), { method });
      expect(await problem(response)).toBe('405 method-not-allowed');
    }
  });
});

describe('health', () => {
  test('is told by real probes', async () => {
    const alive = Health.parse(await (await fetch(`${bench.service.url}/healthz`)).json());
    expect(alive).toEqual({ ok: true, service: 'transcoder', checks: {} });
    const ready = Health.parse(await (await fetch(`${bench.service.url}/readyz`)).json());
    expect(ready.ok).toBe(true);
    expect(ready.checks.ffmpeg?.detail).toContain('ffmpeg version');
    expect(Object.values(ready.checks).every((check) => check.ok)).toBe(true);
  });

  test('is not claimed without ffmpeg', async () => {
    const broken = await startBench({
      redisUrl: redisUrl(),
      env: { FFMPEG_BIN: '/nonexistent/ffmpeg' },
    });
    const response = await fetch(`${broken.service.url}/readyz`);
    expect(response.status).toBe(503);
    expect(Health.parse(await response.json()).checks.ffmpeg?.ok).toBe(false);
    expect((await fetch(`${broken.service.url}/healthz`)).status).toBe(200);
    await broken.close();
  });

  test('stays without Redis, which is shown', async () => {
    const lonely = await startBench({ redisUrl: 'redis://127.0.0.1:1' });
    const response = await fetch(`${lonely.service.url}/readyz`);
    expect(response.status).toBe(200);
    expect(Health.parse(await response.json()).checks.redis?.ok).toBe(false);
    await lonely.close();
  });
});

test('a stream that ends is served to its end and then forgotten', {
  timeout: 30_000,
}, async () => {
  const ending = await startStream(bench, { video: await codedH264({ seconds: 2 }) });
  await ending.ready();
  const last = (await ending.playlist('video0')).segments.at(-1)?.sequence ?? 0;
  ending.publisher.muteVideo(true);
  const blocked = ending.playlist('video0', `&_HLS_msn=${last + 1}`);
  await ending.close();
  // Those who wait are not left waiting.
  expect((await blocked).ended).toBe(true);
  const playlist = await ending.playlist('video0');
  expect(playlist.ended).toBe(true);
  expect(playlist.segments.every((segment) => segment.uri !== null)).toBe(true);
  expect(
    playlist.segments.every((each) => each.durationSeconds <= targetDurationSeconds + 0.5),
  ).toBe(true);
  await ending.bytes(playlist.segments.at(-1)?.uri ?? '');
  await until('it is forgotten', async () => (await ending.get('video0.m3u8')).status === 404);
  expect(await problem(await ending.get('master.m3u8'))).toBe('404 not-found');
});

/** A request whose path no client library tidies up. */
async function rawGet(path: string): Promise<Response> {
  const { hostname, port } = new URL(bench.service.url);
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
    });
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('end', () => resolve(received));
    socket.on('error', reject);
  });
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [, status = '0'] = head.split(' ');
  const type = /content-type: (.*)/i.exec(head)?.[1] ?? '';
  return new Response(body, { status: Number(status), headers: { 'content-type': type } });
}
