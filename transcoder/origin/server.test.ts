// Tests of the origin server: media by its address, thumbnails, browsers, and health.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Health } from '#contract';
import { redisUrl } from '../../testing/services.ts';
import { pageOrigin, startBench, until } from '../testing/bench.ts';
import { problemOf } from '../testing/expectations.ts';
import { setStream } from '../testing/stage.ts';
import { requestMsMax, requestsAtOnceMax } from './server.ts';

const { stage, stream, live } = setStream({ paces: { thumbnailIntervalMs: 300 } });

describe('media', () => {
  test('is served by its address alone, and whole, and kept by caches for six seconds', async () => {
    const playlist = await stream.playlist('video0');
    const [segment] = playlist.segments;
    const response = await fetch(live(segment?.uri ?? ''));
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('public, max-age=6, s-maxage=6');
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
      () =>
        stage.bench.edge.reports.at(-1)?.jobs.find((job) => job.streamId === stream.id)
          ?.thumbnailUrl,
    );
    expect(thumbnailUrl).toMatch(/\/[A-Za-z0-9_-]{22}\/thumbnail-\d+\.jpg$/);
    expect(thumbnailUrl).not.toContain(token);
    const guessed = playlist.segments[0]?.uri?.replace(token, 'A'.repeat(22)) ?? '';
    expect(await problemOf(await fetch(live(guessed)))).toBe('404 not-found');
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
      expect(await problemOf(await rawGet(`/live/${stream.id}/${path}`))).toBe('404 not-found');
    }
    for (const path of ['/', '/live/', '/live/x/master.m3u8', '//', '/live/../healthz']) {
      expect(await problemOf(await rawGet(path))).toBe('404 not-found');
    }
  });
});

describe('a thumbnail', () => {
  test('is a small JPEG, and the latest two are kept', async () => {
    const url = () =>
      stage.bench.edge.reports.at(-1)?.jobs.find((job) => job.streamId === stream.id)?.thumbnailUrl;
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

describe('a hostile client', () => {
  /** Sends bytes and waits until the server closes the connection. */
  async function closedAfter(send: (socket: Socket) => void): Promise<string> {
    const { hostname, port } = new URL(stage.bench.service.url);
    const socket = connect(Number(port), hostname);
    onTestFinished(() => {
      socket.destroy();
    });
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', () => {});
    send(socket);
    await once(socket, 'close');
    return received;
  }

  test('that sends its request a byte at a time is cut off', async () => {
    const startMs = performance.now();
    const received = await closedAfter((socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
      const drip = setInterval(() => socket.write('x'), 200);
      socket.once('close', () => clearInterval(drip));
    });
    expect(received).toContain('408');
    expect(performance.now() - startMs).toBeLessThan(requestMsMax + 4_000);
  });

  test('that asks for many things at once on one connection is cut off, and nobody else', async () => {
    const { pathname, search } = new URL(stream.url('video0.m3u8'));
    const last = (await stream.playlist('video0')).segments.at(-1)?.sequence ?? 0;
    const blocking = `GET ${pathname}${search}&_HLS_msn=${last + 2} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const received = await closedAfter((socket) =>
      socket.write(blocking.repeat(requestsAtOnceMax + 1)),
    );
    expect(received).toBe('');
    expect((await stream.get('video0.m3u8')).status).toBe(200);
  });

  test('that sends a bomb of headers is refused', async () => {
    const received = await closedAfter((socket) =>
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(5_000)}\r\n`),
    );
    expect(received).toContain('431');
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
      expect(await problemOf(response)).toBe('405 method-not-allowed');
    }
  });
});

describe('health', () => {
  test('is told by real probes', async () => {
    const alive = Health.parse(await (await fetch(`${stage.bench.service.url}/healthz`)).json());
    expect(alive).toEqual({ ok: true, service: 'transcoder', checks: {} });
    const ready = Health.parse(await (await fetch(`${stage.bench.service.url}/readyz`)).json());
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

/** A request whose path no client library tidies up. */
async function rawGet(path: string): Promise<Response> {
  const { hostname, port } = new URL(stage.bench.service.url);
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
