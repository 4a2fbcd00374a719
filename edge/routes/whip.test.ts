// WHIP and WHEP at the edge: who may publish and play by HTTP, and that offers and tickets go to the node alone.
import { createHmac, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NewStreamKey, type ProblemCode, problemStatus, RoomTicket, sdpBytesMax } from '#contract';
import { createStream } from '#db';
import { newAddress, newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { createApp } from '../app.ts';
import { createLog } from '../services/log.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';
import { type OfferNode, startOfferNode } from '../testing/nodes.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n';
const page = 'https://player.example';
const relays = ['turn:turn.example:3478?transport=udp', 'turns:turn.example:443?transport=tcp'];
const turnSecret = 'a-turn-secret-of-at-least-32-characters';

let edge: TestEdge;
let cast: Cast;
let node: OfferNode;
beforeAll(async () => {
  edge = await startTestEdge({
    API_ORIGINS: page,
    TURN_URLS: relays.join(),
    TURN_SECRET: turnSecret,
  });
  cast = createCast(edge);
  node = await startOfferNode(edge, 'sfu-offers');
});
afterEach(() => {
  node.answer();
  node.seen.length = 0;
});
afterAll(async () => {
  await node?.close();
  await edge?.close();
});

/** Of requests that go to an app of a test's own. */
const bindings = { defer: () => undefined, socketAddress: '127.0.0.1', country: '' };

type Headers = Record<string, string>;
const send = (path: string, headers: Headers, body: unknown = sdp) =>
  edge.call('POST', `/v1/${path}`, {
    body,
    headers: { 'content-type': 'application/sdp', 'x-test-address': newAddress(), ...headers },
  });
const publish = (secret: string, headers: Headers = {}, body?: unknown) =>
  send('whip', { authorization: `Bearer ${secret}`, ...headers }, body);
const play = (streamId: string, who?: Member, headers: Headers = {}) =>
  send(`whep/${streamId}`, who ? { authorization: `Bearer ${who.token}`, ...headers } : headers);

/** A performer with a stream that is about to begin, and a key for it. */
async function encoder(body: object = { name: 'OBS' }) {
  const performer = await cast.member('performer');
  const stream = { title: 'From OBS', category: 'music' } as const;
  const { id: streamId } = await createStream(edge.database.db, performer.id, stream, newKey());
  const made = await performer.act('POST', '/v1/stream-keys', body);
  const { key, secret } = NewStreamKey.parse(made.body);
  return { performer, streamId, keyId: key.id, secret: secret ?? '' };
}

/** A stream that is published on the node. */
async function onAir(stream: object = {}) {
  const live = await cast.live(undefined, stream);
  await node.hold(live.streamId);
  return live;
}

const ticketSeen = () => {
  const [, ticket = ''] = node.seen.at(-1)?.headers.authorization?.split(' ') ?? [];
  return RoomTicket.parse(decodeJwt(ticket));
};

describe('an encoder', () => {
  test('publishes with its stream key: the node gets the offer and a ticket, the encoder the node’s answer and address', async () => {
    const { performer, streamId, keyId, secret } = await encoder();
    const { status, headers, body } = await publish(secret);
    expect([status, body]).toEqual([201, 'v=0\r\n']);
    const http = node.url.replace(/^ws(.*)room$/, 'http$1');
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/sdp',
      location: `${http}whip/${'a'.repeat(43)}`,
      etag: '"session-1"',
      'accept-patch': 'application/trickle-ice-sdpfrag',
      'cache-control': 'no-store',
    });
    expect(node.seen).toMatchObject([{ path: '/whip', body: sdp }]);
    expect(ticketSeen()).toMatchObject({
      sub: performer.id,
      // What ends the key ends what was published with it, as it ends a session's sockets.
      sid: keyId,
      stream: streamId,
      node: node.nodeId,
      capabilities: ['publish'],
    });
    // The key stays here.
    expect(JSON.stringify(node.seen)).not.toContain(secret);
    expect((await edge.call('GET', `/v1/streams/${streamId}`)).body.state).toBe('starting');
  });

  test('is told of relays, with credentials of its own', async () => {
    const [one, other] = [await encoder(), await encoder()];
    const linksOf = async ({ secret }: typeof one) =>
      ((await publish(secret)).headers.get('link') ?? '').split(/, (?=<)/);
    const links = await linksOf(one);
    const pattern =
      /^<(.*)>; rel="ice-server"; username="(\d{10}:[\w-]{22})"; credential="(.*)"; credential-type="password"$/;
    const told = links.map((link) => pattern.exec(link)?.slice(1) ?? []);
    expect(told.map(([url]) => url)).toEqual(relays);
    for (const [, username = '', credential] of told) {
      const mac = createHmac('sha1', turnSecret).update(username).digest('base64');
      expect(credential).toBe(mac);
    }
    const [, another] = pattern.exec((await linksOf(other))[0] ?? '')?.slice(1) ?? [];
    expect(another?.split(':')[1]).not.toBe(told[0]?.[1]?.split(':')[1]);
  });

  test('is refused with a key that is unknown, ended, for another protocol, or of somebody banned', async () => {
    const unknown = `lpk_${randomBytes(32).toString('base64url')}`;
    const member = await cast.member('performer');
    for (const wrong of ['', 'x', unknown, member.token]) {
      const answer = await publish(wrong);
      expect(refused(answer)).toEqual([401, 'unauthenticated']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect(refused(await send('whip', {}))).toEqual([401, 'unauthenticated']);
    const ended = await encoder();
    await ended.performer.call('DELETE', `/v1/stream-keys/${ended.keyId}`);
    expect(refused(await publish(ended.secret))).toEqual([401, 'unauthenticated']);
    const rotated = await encoder();
    await rotated.performer.call('POST', `/v1/stream-keys/${rotated.keyId}/rotation`);
    expect(refused(await publish(rotated.secret))).toEqual([401, 'unauthenticated']);
    const rtmp = await encoder({ name: 'RTMP', protocols: ['rtmp'] });
    const forbidden = await publish(rtmp.secret);
    expect(refused(forbidden)).toEqual([403, 'forbidden']);
    expect(forbidden.headers.get('www-authenticate')).toBeNull();
    const banned = await encoder();
    await edge.database.asOwner('update users set banned_at = now() where id = $1', [
      banned.performer.id,
    ]);
    expect(refused(await publish(banned.secret))).toEqual([403, 'account-banned']);
    const idle = await encoder();
    await edge.database.asOwner(`update streams set state = 'ended' where id = $1`, [
      idle.streamId,
    ]);
    expect(refused(await publish(idle.secret))).toEqual([404, 'not-found']);
    expect(node.seen).toEqual([]);
  });

  test('that guesses keys is told no more than that after a few', async () => {
    const address = { 'x-test-address': newAddress() };
    const codes = new Set<string>();
    for (let attempt = 0; attempt < 25; attempt += 1) {
      const guess = `lpk_${randomBytes(32).toString('base64url')}`;
      codes.add((await publish(guess, address)).body.code);
    }
    expect(codes).toEqual(new Set(['unauthenticated', 'rate-limited']));
    expect((await publish((await encoder()).secret, address)).status).toBe(201);
  });

  test('that sends anything but an offer is refused before its key is looked at', async () => {
    const { secret, performer } = await encoder();
    for (const type of ['application/json', 'text/plain', 'application/sdpx', '']) {
      const answer = await publish(secret, { 'content-type': type });
      expect(refused(answer)).toEqual([415, 'unsupported-media-type']);
      expect(answer.headers.get('accept-post')).toBe('application/sdp');
    }
    const long = await publish(secret, {}, 'x'.repeat(sdpBytesMax + 1));
    expect(refused(long)).toEqual([413, 'body-too-large']);
    expect(node.seen).toEqual([]);
    const { keys } = (await performer.call('GET', '/v1/stream-keys')).body;
    expect(keys[0].lastUsedAt).toBeNull();
    const type = 'Application/SDP; charset=utf-8';
    expect((await publish(secret, { 'content-type': type })).status).toBe(201);
  });
});

describe('a player', () => {
  test('plays what whoever asks may watch, as a viewer without a right to publish', async () => {
    const { streamId } = await onAir();
    const fan = await cast.member();
    const { status, headers } = await play(streamId, fan);
    expect(status).toBe(201);
    expect(headers.get('location')).toMatch(/\/whep\/a{43}$/);
    expect(headers.get('link')).toContain('rel="ice-server"');
    expect(node.seen.map(({ path }) => path)).toEqual(['/whep']);
    expect(ticketSeen()).toMatchObject({ sub: fan.id, stream: streamId, node: node.nodeId });
    expect(ticketSeen().capabilities).not.toContain('publish');
  });

  test('is refused what the policy refuses the page', async () => {
    const { streamId, performer } = await onAir();
    expect(refused(await play(streamId))).toEqual([403, 'age-gate-needed']);
    expect(refused(await play(newKey(), performer))).toEqual([404, 'not-found']);
    expect(refused(await play('nothing', performer))).toEqual([422, 'invalid-request']);
    const fan = await cast.member();
    await performer.call('PUT', `/v1/users/me/blocks/${fan.id}`);
    expect(refused(await play(streamId, fan))).toEqual([403, 'blocked']);
    const closed = await onAir({ visibility: 'ticketed', entryTokens: 10 });
    expect(refused(await play(closed.streamId, fan))).toEqual([403, 'entry-needed']);
    await performer.call('POST', `/v1/streams/${streamId}/end`);
    expect(refused(await play(streamId, performer))).toEqual([409, 'stream-ended']);
    expect(node.seen).toEqual([]);
  });

  test('comes again a little later where nothing is shown yet, and where there is no node', async () => {
    const { performer, streamId } = await encoder();
    const early = await play(streamId, performer);
    expect(refused(early)).toEqual([409, 'stream-not-live']);
    expect(early.headers.get('retry-after')).toBe('2');
    node.answer((response) =>
      response
        .writeHead(409, { 'content-type': 'application/problem+json', 'retry-after': '7' })
        .end(JSON.stringify(problemOf('stream-not-live'))),
    );
    const quiet = await play((await onAir()).streamId, performer);
    expect(refused(quiet)).toEqual([409, 'stream-not-live']);
    expect(quiet.headers.get('retry-after')).toBe('7');
  });
});

const problemOf = (code: ProblemCode) => ({
  type: `https://livepanty.example/problems/${code}`,
  code,
  title: 'A title',
  status: problemStatus(code),
  detail: 'why',
});

describe('a node', () => {
  const sdpType = { 'content-type': 'application/sdp' };
  const own = `whip/${'b'.repeat(43)}`;

  test.each<[string, Parameters<OfferNode['answer']>[0]]>([
    ['hangs up', (response) => response.destroy()],
    [
      'hangs up in the middle',
      (response) => {
        response
          .writeHead(201, { ...sdpType, location: own, 'content-length': '100' })
          .write('v=0');
        setImmediate(() => response.destroy());
      },
    ],
    [
      'answers with a page',
      (response) =>
        response.writeHead(201, { 'content-type': 'text/html', location: own }).end('<p>Hello'),
    ],
    [
      'answers with a status of its own',
      (response) => response.writeHead(200, { ...sdpType, location: own }).end('v=0'),
    ],
    [
      'answers with more than any answer has',
      (response) => response.writeHead(201, { ...sdpType, location: own }).end('x'.repeat(100_000)),
    ],
    [
      'leads elsewhere',
      (response) => response.writeHead(307, { location: '/whip/elsewhere' }).end(),
    ],
    ['fails', (response) => response.writeHead(500).end('{')],
    [
      'refuses the ticket',
      (response) =>
        response
          .writeHead(401, { 'content-type': 'application/problem+json' })
          .end(JSON.stringify(problemOf('unauthenticated'))),
    ],
    ...[
      'https://elsewhere.example/whip/x',
      '//elsewhere.example/whip/x',
      'javascript:alert(1)',
      'http://[',
      '/stats',
      'whip/../stats',
      '',
    ].map((location): [string, Parameters<OfferNode['answer']>[0]] => [
      `answers with the address “${location}”`,
      (response) => response.writeHead(201, { ...sdpType, location }).end('v=0'),
    ]),
  ])('that %s is none: the encoder hears so, and nothing of it', async (_, how) => {
    node.answer(how);
    const answer = await publish((await encoder()).secret);
    expect(refused(answer)).toEqual([503, 'media-unavailable']);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect([answer.headers.get('location'), answer.body.detail]).toEqual([null, undefined]);
    expect(node.seen).toHaveLength(1);
  });

  test('that does not answer is given up after seven seconds', async () => {
    node.answer(() => undefined);
    const { secret } = await encoder();
    const askedAtMs = performance.now();
    expect(refused(await publish(secret))).toEqual([503, 'media-unavailable']);
    expect(performance.now() - askedAtMs).toBeLessThan(8_000);
  }, 15_000);

  test.each(['malformed-sdp', 'offer-refused', 'not-acceptable', 'already-published'] as const)(
    'that refuses the offer with %s says why, and the encoder hears it',
    async (code) => {
      node.answer((response) =>
        response
          .writeHead(problemStatus(code), { 'content-type': 'application/problem+json' })
          .end(JSON.stringify(problemOf(code))),
      );
      const { status, body } = await publish((await encoder()).secret, { accept: 'text/plain' });
      expect([status, body.code, body.detail]).toEqual([problemStatus(code), code, 'why']);
      expect(node.seen[0]?.headers.accept).toBe('text/plain');
    },
  );

  test('at an address that the configuration does not name gets neither offer nor ticket', async () => {
    const { performer, streamId } = await onAir();
    const elsewhere = node.url.replace('127.0.0.1', 'localhost');
    // While Redis is away, people are sent to where the stream was last seen.
    const run = () => Promise.reject(new Error('away'));
    const app = createApp({ ...edge.parts.deps, redis: { ...edge.parts.deps.redis, run } });
    const ask = async (url: string) => {
      await edge.database.asOwner('update stream_media set node_url = $2 where stream_id = $1', [
        streamId,
        url,
      ]);
      const headers = {
        authorization: `Bearer ${performer.token}`,
        'content-type': 'application/sdp',
      };
      const path = `${edge.url}/v1/whep/${streamId}`;
      const request = new Request(path, { method: 'POST', headers, body: sdp });
      return (await app.fetch(request, bindings)).status;
    };
    expect([await ask(elsewhere), node.seen.length]).toEqual([503, 0]);
    expect([await ask(node.url), node.seen.length]).toEqual([201, 1]);
  });
});

describe('the addresses', () => {
  const addresses = ['whip', `whep/${newKey()}`];

  test.each(addresses)('/v1/%s has nothing to show, and says what it takes', async (path) => {
    for (const [method, status] of [
      ['OPTIONS', 200],
      ['GET', 204],
      ['HEAD', 204],
    ] as const) {
      const answer = await edge.call(method, `/v1/${path}`);
      expect([answer.status, answer.body]).toEqual([status, '']);
      expect(answer.headers.get('accept-post')).toBe('application/sdp');
      expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST');
    }
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const headers = { 'content-type': 'application/sdp' };
      const answer = await edge.call(method, `/v1/${path}`, { headers });
      expect(refused(answer)).toEqual([405, 'method-not-allowed']);
    }
  });

  test('are for pages of listed origins, which may read where the connection is, and for no others', async () => {
    const { streamId } = await onAir();
    const fan = await cast.member();
    const preflight = await edge.call('OPTIONS', `/v1/whep/${streamId}`, {
      headers: { origin: page, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(page);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    const listed = await play(streamId, fan, { origin: page });
    expect([listed.status, listed.headers.get('access-control-allow-origin')]).toEqual([201, page]);
    const exposed = listed.headers.get('access-control-expose-headers')?.split(', ');
    for (const name of ['location', 'link', 'etag', 'accept-patch', 'retry-after']) {
      expect(exposed).toContain(name);
    }
    const elsewhere = await play(streamId, fan, { origin: 'https://elsewhere.example' });
    expect(refused(elsewhere)).toEqual([403, 'untrusted-origin']);
  });
});

test('no line of the log has a key, a ticket, a relay’s credentials or the address of a connection in it', async () => {
  const lines: string[] = [];
  const log = createLog('debug', {}, (line) => lines.push(line));
  const app = createApp({ ...edge.parts.deps, log });
  const { secret } = await encoder();
  const unknown = `lpk_${randomBytes(32).toString('base64url')}`;
  const statuses: number[] = [];
  const told: (string | null)[] = [];
  for (const [key, how] of [
    [secret, undefined],
    [unknown, undefined],
    [secret, (response) => response.destroy()],
  ] as [string, Parameters<OfferNode['answer']>[0]][]) {
    node.answer(how);
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/sdp' };
    const request = new Request(`${edge.url}/v1/whip`, { method: 'POST', headers, body: sdp });
    const answer = await app.fetch(request, bindings);
    statuses.push(answer.status);
    told.push(answer.headers.get('location'));
    const [, credential] = /credential="([^"]+)"/.exec(answer.headers.get('link') ?? '') ?? [];
    told.push(credential ?? null);
  }
  expect(statuses).toEqual([201, 401, 503]);
  const tickets = node.seen.map(({ headers }) => headers.authorization?.split(' ')[1] ?? '');
  const hidden = [secret, unknown, ...tickets, ...told.filter((one) => one !== null)];
  expect(hidden).toHaveLength(6);
  expect(lines.length).toBeGreaterThan(3);
  for (const one of hidden) expect(lines.join('\n')).not.toContain(one);
});
