// Tests of WHIP and WHEP over HTTP: who is let in, what is refused and how, and who can change or end what.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  iceFragmentMediaType,
  problemStatus,
  RoomTicket,
  sdpBytesMax,
  sdpMediaType,
} from '#contract';
import { createLivePlaces } from '../live-places.ts';
import { createRefusalCounter } from '../refusals.ts';
import { takeSeat } from '../seat.ts';
import { offerParts, offerText, offerWith } from '../testing/offers.ts';
import { publishRtp } from '../testing/rtp-source.ts';
import { publishMicrophone, useScene } from '../testing/scene.ts';
import type { TicketWish } from '../testing/test-edge.ts';
import { parseOffer } from './description.ts';
import { publish } from './publication.ts';
import { connectTimeoutMs, patchBurstMax, Resource } from './resource.ts';
import { resourcesPerSubjectMax } from './resources.ts';

const endedWithinMs = 2_000;
const scene = useScene();

type Kind = 'whip' | 'whep';
const capability = { whip: 'publish', whep: 'subscribe' } as const;

interface Told {
  status: number;
  headers: Headers;
  text: string;
  code: string | null;
}

async function ask(
  path: string,
  {
    method = 'POST',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string | ReadableStream } = {},
): Promise<Told> {
  const response = await fetch(new URL(path, scene.node.httpUrl), {
    method,
    headers,
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  });
  const text = await response.text();
  const isProblem = response.headers.get('content-type') === 'application/problem+json';
  const code = isProblem ? JSON.parse(text).code : null;
  if (code) expect([code, problemStatus(code)]).toEqual([code, response.status]);
  return { status: response.status, headers: response.headers, text, code };
}

async function offer(
  kind: Kind,
  wish: Partial<TicketWish> = {},
  more: { headers?: Record<string, string>; body?: string | ReadableStream; token?: string } = {},
): Promise<Told> {
  const token =
    more.token ??
    (await scene.edge.ticket({ stream: scene.stream, capabilities: [capability[kind]], ...wish }));
  const direction = kind === 'whip' ? 'sendonly' : 'recvonly';
  return ask(`/${kind}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': sdpMediaType, ...more.headers },
    body: more.body ?? offerText(offerParts(direction)),
  });
}

/** A publication, and what it can be asked for. */
async function published(wish: Partial<TicketWish> = {}) {
  const made = await offer('whip', wish);
  expect(made.status).toBe(201);
  const path = `/${made.headers.get('location')}`;
  const etag = made.headers.get('etag') ?? '';
  return {
    path,
    etag,
    patch: (ifMatch: string | null, body: string, type = iceFragmentMediaType) =>
      ask(path, {
        method: 'PATCH',
        headers: { 'content-type': type, ...(ifMatch === null ? {} : { 'if-match': ifMatch }) },
        body,
      }),
    end: () => ask(path, { method: 'DELETE' }),
    isGone: () =>
      expect
        .poll(async () => (await ask(path, { method: 'GET' })).status, {
          timeout: endedWithinMs,
          interval: 20,
        })
        .toBe(404),
  };
}

const sameIce = 'a=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\n';
const newIce = (name: string) => `a=ice-ufrag:${name}\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n`;
const candidate = 'a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n';

afterEach(() => {
  for (const room of scene.node.rooms.all) scene.node.rooms.end(room.streamId);
});

describe('an offer', () => {
  test('is answered with where the connection is, and what it is called', async () => {
    const { status, headers, text } = await offer('whip');
    expect(status).toBe(201);
    expect(headers.get('content-type')).toBe(sdpMediaType);
    expect(headers.get('location')).toMatch(/^whip\/[A-Za-z0-9_-]{43}$/);
    expect(headers.get('etag')).toMatch(/^"[A-Za-z0-9_-]{12}"$/);
    expect(headers.get('accept-patch')).toBe(iceFragmentMediaType);
    expect(text).toMatch(/^v=0\r\n/);
  });

  test.each(['whip', 'whep'] as const)(
    'to /%s needs a good ticket, which is good once',
    async (kind) => {
      const other = kind === 'whip' ? 'subscribe' : 'publish';
      const path = `/${kind}`;
      const headers = { 'content-type': sdpMediaType };
      const none = await ask(path, { headers, body: offerText(offerParts()) });
      expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      const refused: [string, Partial<TicketWish>, string?][] = [
        ['unauthenticated', {}, 'not-a-ticket'],
        ['unauthenticated', { ttlSeconds: -10 }],
        ['unauthenticated', { node: 'another-node' }],
        ['unauthenticated', { issuer: 'somebody-else' }],
        ['forbidden', { capabilities: [other] }],
        ['forbidden', { capabilities: [] }],
        ['forbidden', { aud: 'node' }],
      ];
      for (const [code, wish, token] of refused) {
        expect((await offer(kind, wish, token ? { token } : {})).code).toBe(code);
      }
      const token = await scene.edge.ticket({
        stream: scene.stream,
        capabilities: ['publish', 'subscribe'],
      });
      const keeper = await scene.performer();
      await publishMicrophone(keeper);
      const first = await offer(kind, {}, { token, body: offerWith('sendonly', 'sendrecv') });
      // Spent, whatever became of the offer.
      expect(first.status).not.toBe(401);
      expect((await offer(kind, {}, { token })).code).toBe('unauthenticated');
      keeper.close();
    },
  );

  test('of another type, for another type of answer, or too long is refused before it is read', async () => {
    for (const type of ['application/json', 'text/plain', 'application/sdpx', '']) {
      const { code, headers } = await offer('whip', {}, { headers: { 'content-type': type } });
      expect([code, headers.get('accept-post')]).toEqual(['unsupported-media-type', sdpMediaType]);
    }
    for (const accept of ['application/json', 'text/*', 'application/sdp;q=0', '']) {
      expect((await offer('whip', {}, { headers: { accept } })).code).toBe('not-acceptable');
    }
    const sub = randomUUID();
    for (const accept of ['application/sdp', '*/*', 'text/html, application/*;q=0.1']) {
      expect((await offer('whip', { sub }, { headers: { accept } })).status).toBe(201);
    }
    const type = 'Application/SDP; charset=utf-8';
    expect((await offer('whip', { sub }, { headers: { 'content-type': type } })).status).toBe(201);
    const long = `${offerText(offerParts())}a=${'x'.repeat(sdpBytesMax)}\r\n`;
    expect((await offer('whip', {}, { body: long })).code).toBe('body-too-large');
    const streamed = new Blob([long]).stream();
    expect((await offer('whip', {}, { body: streamed })).code).toBe('body-too-large');
  });

  test('that makes no sense, or cannot be taken, leaves nothing behind', async () => {
    for (const [code, body] of [
      ['malformed-sdp', 'hello'],
      ['offer-refused', offerWith('opus', 'PCMU')],
      ['offer-refused', offerWith(/sha-256 [0-9A-F:]+/g, 'sha-256 AB:CD')],
      ['offer-refused', offerWith('a=ssrc:1002', 'a=ssrc:1001').replace('FID 1002', 'FID 1001')],
    ] as const) {
      expect((await offer('whip', {}, { body })).code).toBe(code);
    }
    expect((await offer('whep', {}, { body: offerText(offerParts('sendonly')) })).code).toBe(
      'offer-refused',
    );
    expect(scene.node.rooms.find(scene.stream)).toBeNull();
  });

  test('to play a codec that was not offered is refused, and so is one to play nothing', async () => {
    const keeper = await scene.performer();
    const source = await publishRtp(scene.room, 1);
    const told = await offer('whep', {}, { body: offerWith('42e01f', '64001f', 'recvonly') });
    expect([told.code, JSON.parse(told.text).detail]).toEqual([
      'offer-refused',
      'this stream is sent as video/H264, which was not offered',
    ]);
    expect(scene.room.viewers).toBe(0);
    source.close();
    keeper.close();
  });

  test('of one person too many are refused, until one of them has ended', async () => {
    const keeper = await scene.performer();
    const source = await publishRtp(scene.room, 1);
    const sub = randomUUID();
    const made = [];
    for (let place = 0; place < resourcesPerSubjectMax; place += 1) {
      made.push(await offer('whep', { sub }));
    }
    expect(made.map(({ status }) => status)).toEqual(made.map(() => 201));
    const refused = await offer('whep', { sub });
    expect([refused.code, refused.headers.get('retry-after')]).toEqual(['rate-limited', '2']);
    expect((await offer('whep')).status).toBe(201);
    await ask(`/${made[0]?.headers.get('location')}`, { method: 'DELETE' });
    expect((await offer('whep', { sub })).status).toBe(201);
    source.close();
    keeper.close();
  });
});

describe('the addresses', () => {
  test('say which methods they know, to pages of any origin, and refuse the others', async () => {
    const { path, end } = await published();
    const preflight = await ask('/whip', {
      method: 'OPTIONS',
      headers: { origin: 'http://elsewhere.test' },
    });
    expect(preflight.status).toBe(200);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'accept-post': sdpMediaType,
      allow: 'GET, HEAD, OPTIONS, POST',
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS, POST',
      'access-control-allow-headers': 'authorization, content-type, if-match',
    });
    const resource = await ask(path, { method: 'OPTIONS' });
    expect(resource.headers.get('accept-patch')).toBe(iceFragmentMediaType);
    expect(resource.headers.get('allow')).toBe('GET, HEAD, OPTIONS, PATCH, DELETE');
    for (const known of ['/whip', '/whep', path]) {
      for (const method of ['GET', 'HEAD']) {
        expect((await ask(known, { method })).status).toBe(204);
      }
      const { code, headers } = await ask(known, { method: 'PUT', body: 'x' });
      expect(code).toBe('method-not-allowed');
      expect(headers.get('allow')).toContain('OPTIONS');
      expect(headers.get('access-control-allow-origin')).toBe('*');
    }
    expect((await ask(path, { method: 'POST', body: 'x' })).code).toBe('method-not-allowed');
    for (const method of ['PATCH', 'DELETE']) {
      expect((await ask('/whip', { method })).code).toBe('method-not-allowed');
    }
    await end();
  });

  test('of connections are known to whoever made them alone', async () => {
    const { path, isGone, end } = await published();
    const own = path.split('/')[2] ?? '';
    const others = [
      `/whep/${own}`,
      `/whip/${own.slice(0, -1)}${own.endsWith('A') ? 'B' : 'A'}`,
      `/whip/${'A'.repeat(43)}`,
      `/whip/${randomUUID()}`,
      '/whip/',
      `/whip/${own}/x`,
      `/whip/..%2f${own}`,
    ];
    for (const guess of others) {
      for (const method of ['GET', 'DELETE', 'PATCH']) {
        expect((await ask(guess, { method })).status).not.toBeLessThan(404);
      }
    }
    expect((await ask(path, { method: 'GET' })).status).toBe(204);
    // What it is called does not matter for its end (RFC 9725, section 4.3.1).
    expect((await ask(path, { method: 'DELETE', headers: { 'if-match': '"other"' } })).status).toBe(
      200,
    );
    await isGone();
    expect((await end()).code).toBe('not-found');
  });
});

describe('a change of ICE', () => {
  test('takes candidates for the ICE session that it names', async () => {
    const { etag, patch } = await published();
    for (const [name, body] of [
      [etag, `${sameIce}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n${candidate}`],
      [`"other", ${etag}`, `${sameIce}a=end-of-candidates\r\n`],
      ['*', `${sameIce}${candidate}`],
      [etag, candidate],
    ] as const) {
      const told = await patch(name, body);
      expect([told.status, told.text, told.headers.get('etag')]).toEqual([204, '', null]);
    }
    expect((await patch(null, sameIce + candidate)).code).toBe('precondition-required');
    expect((await patch('"other"', sameIce + candidate)).code).toBe('precondition-failed');
    expect((await patch(`W/${etag}`, sameIce + candidate)).code).toBe('precondition-failed');
  });

  test('restarts it with a new name, and then the one before is no more', async () => {
    const { etag, patch } = await published();
    const restarted = await patch('"*"', newIce('ysXw'));
    expect(restarted.status).toBe(200);
    expect(restarted.headers.get('content-type')).toBe(iceFragmentMediaType);
    const next = restarted.headers.get('etag') ?? '';
    expect(next).not.toBe(etag);
    expect(restarted.text).toMatch(
      /^a=ice-lite\r\na=ice-options:trickle ice2\r\na=ice-ufrag:\S+\r\na=ice-pwd:\S+\r\n(a=candidate:.*\r\n)+a=end-of-candidates\r\n$/,
    );
    expect((await patch(etag, newIce('ysXw'))).code).toBe('precondition-failed');
    expect((await patch(next, newIce('ysXw') + candidate)).status).toBe(204);
    const again = await patch('*', newIce('zsXw'));
    expect([again.status, again.text === restarted.text]).toEqual([200, false]);
  });

  test('that makes no sense is refused, and changes nothing', async () => {
    const { etag, patch } = await published();
    for (const body of [
      '',
      'hello',
      'a=ice-ufrag:ysXw\r\n',
      'a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n',
      newIce('x'),
      'a=candidate:nonsense\r\n',
      `${newIce('ysXw')}m=\r\n=\r\n`,
    ]) {
      expect([body, (await patch('*', body)).code]).toEqual([body, 'malformed-sdp']);
    }
    const { code, headers } = await patch(etag, sameIce, sdpMediaType);
    expect([code, headers.get('accept-patch')]).toEqual([
      'unsupported-media-type',
      iceFragmentMediaType,
    ]);
    expect((await patch(etag, candidate.repeat(500))).code).toBe('body-too-large');
    expect((await patch(etag, sameIce + candidate)).status).toBe(204);
  });

  test('is made only so often, and one after the other', async () => {
    const { patch } = await published();
    const told = await Promise.all(
      Array.from({ length: patchBurstMax + 10 }, (_, place) => patch('*', newIce(`name${place}`))),
    );
    const names = told
      .filter(({ status }) => status === 200)
      .map(({ headers }) => headers.get('etag'));
    expect(new Set(names).size).toBe(names.length);
    expect(told.filter(({ code }) => code === 'rate-limited').length).toBeGreaterThan(5);
  });
});

describe('a publication', () => {
  test('gives way to a newer one of the same person, and to their studio, and takes the place of it', async () => {
    const sub = randomUUID();
    const first = await published({ sub });
    const second = await published({ sub });
    await first.isGone();
    expect(scene.room.sources).toEqual(['microphone', 'camera']);
    const studio = await scene.performer(sub);
    await publishMicrophone(studio);
    await second.isGone();
    expect(scene.room.sources).toEqual(['microphone']);
    const third = await published({ sub });
    expect(await studio.closed).toBe('replaced');
    expect(scene.room.report.publishing).toBe(true);
    await third.end();
  });

  test('of somebody else is not disturbed', async () => {
    const { path } = await published();
    expect((await offer('whip')).code).toBe('already-published');
    expect((await ask(path, { method: 'GET' })).status).toBe(204);
    expect(scene.room.size).toBe(1);
  });

  test('ends with its stream, and a later offer for that is refused', async () => {
    const { isGone } = await published();
    scene.node.rooms.end(scene.stream);
    await isGone();
    expect((await offer('whip')).code).toBe('stream-ended');
  });

  test.each([
    ['its key, or session', (sid: string) => ({ kind: 'session', subject: sid })],
    ['its person', (_: string, sub: string) => ({ kind: 'user', subject: sub })],
  ] as const)('ends within two seconds when %s is revoked', async (_, what) => {
    const [sid, sub] = [randomUUID(), randomUUID()];
    const { isGone } = await published({ sid, sub });
    const askedAtMs = performance.now();
    await scene.revoke(what(sid, sub) as Parameters<typeof scene.revoke>[0]);
    await isGone();
    expect(performance.now() - askedAtMs).toBeLessThan(endedWithinMs);
  });

  test('ends when its node asks everybody to move', async () => {
    const { isGone } = await published();
    for (const peer of scene.room.peers) peer.send({ type: 'room.move' });
    await isGone();
  });

  test('ends with its worker, and is told so', async () => {
    const { isGone } = await published();
    const [worker] = scene.node.pool.workers;
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    await isGone();
    await expect.poll(() => scene.node.pool.workers.length, { timeout: 5_000 }).toBe(1);
  });

  test('whose connection is never made is given up', async () => {
    const claims = RoomTicket.parse(
      JSON.parse(
        Buffer.from(
          (await scene.edge.ticket({ stream: scene.stream, capabilities: ['publish'] })).split(
            '.',
          )[1] ?? '',
          'base64url',
        ).toString(),
      ),
    );
    const { rooms, revocations } = scene.node;
    const deps = {
      rooms,
      revocations,
      places: createLivePlaces(),
      refusals: createRefusalCounter(),
      log: pino({ level: 'silent' }),
    };
    const seat = await takeSeat(claims, '127.0.0.1', deps);
    const parsed = parseOffer(offerText(offerParts()));
    const connection = await publish(seat, parsed, () => undefined);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      let isClosed = false;
      Resource.open({
        kind: 'whip',
        seat,
        connection,
        offer: parsed,
        log: deps.log,
        onClosed: () => {
          isClosed = true;
        },
      });
      vi.advanceTimersByTime(connectTimeoutMs - 1);
      expect(isClosed).toBe(false);
      vi.advanceTimersByTime(1);
      expect([isClosed, connection.transport.closed]).toEqual([true, true]);
    } finally {
      vi.useRealTimers();
    }
    expect(deps.refusals.totals()).toEqual({ 'join-timeout': 1 });
    expect(rooms.find(scene.stream)).toBeNull();
  });
});
