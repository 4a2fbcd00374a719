// Stream keys: told once, known by a hash, good for what they say, and ended with everything that they have opened.
import { createHash, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isEndedBy, NewStreamKey, Revocation, RoomTicket, streamKeysMax } from '#contract';
import { createStream } from '#db';
import { newAddress, newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { createApp } from '../app.ts';
import { createLog } from '../services/log.ts';
import { type Cast, createCast, type Member } from '../testing/cast.ts';
import { listNode } from '../testing/nodes.ts';

let edge: TestEdge;
let cast: Cast;
let unlistNode: () => Promise<void>;
beforeAll(async () => {
  edge = await startTestEdge({
    INGEST_RTMP_URL: 'rtmp://ingest.test/live',
    INGEST_SRT_URL: 'srt://ingest.test:9000',
  });
  cast = createCast(edge);
  unlistNode = await listNode(edge, 'sfu-keys');
});
afterAll(async () => {
  await unlistNode();
  await edge.close();
});

const make = (who: Member, body: object = { name: 'OBS' }, key = newKey()) =>
  who.act('POST', '/v1/stream-keys', body, key);

async function keyOf(who: Member, body?: object): Promise<{ id: string; secret: string }> {
  const { key, secret } = NewStreamKey.parse((await make(who, body)).body);
  return { id: key.id, secret: secret ?? '' };
}

const ingest = (secret: string, body: object = { protocol: 'whip' }, address = newAddress()) =>
  edge.call('POST', '/v1/ingest/tickets', {
    body,
    headers: { authorization: `Bearer ${secret}`, 'x-test-address': address },
  });

const codeOf = async (answer: ReturnType<TestEdge['call']>) => {
  const { status, body } = await answer;
  return [status, body.code];
};

async function created(performer: Member, title = 'Set'): Promise<string> {
  const said = { title, category: 'music' } as const;
  return (await createStream(edge.database.db, performer.id, said, newKey())).id;
}

describe('a key', () => {
  test('is told once, and kept as a hash; its owner knows it by its name and its end', async () => {
    const performer = await cast.member('performer');
    const { status, body } = await make(performer, { name: '  OBS at home ' });
    expect(status).toBe(201);
    expect(body.secret).toMatch(/^lpk_[A-Za-z0-9_-]{43}$/);
    const listed = await performer.call('GET', '/v1/stream-keys');
    expect(listed.body.keys).toEqual([body.key]);
    expect(listed.body.servers).toEqual({
      rtmp: 'rtmp://ingest.test/live',
      srt: 'srt://ingest.test:9000?streamid=',
    });
    expect(body.key).toMatchObject({
      name: 'OBS at home',
      hint: body.secret.slice(-4),
      protocols: ['whip', 'rtmp', 'srt'],
      lastUsedAt: null,
    });
    expect(JSON.stringify(listed.body)).not.toContain(body.secret);
    const [row] = await edge.database.asOwner<{ row: string; hash: Buffer }>(
      'select k::text as row, hash from stream_keys k where id = $1',
      [body.key.id],
    );
    expect(row?.row).not.toContain(body.secret.slice(4, 20));
    expect(row?.hash).toEqual(createHash('sha256').update(body.secret).digest());
  });

  test('is made once by a request that comes again, and its secret is not told twice', async () => {
    const performer = await cast.member('performer');
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => make(performer, { name: 'OBS' }, key)),
    );
    expect(new Set(answers.map(({ body }) => body.key.id)).size).toBe(1);
    expect(answers.filter(({ body }) => body.secret !== null)).toHaveLength(1);
    expect(await codeOf(make(performer, { name: 'Other' }, key))).toEqual([
      409,
      'idempotency-key-reused',
    ]);
    // The key of a request means nothing to others.
    const other = await make(await cast.member('performer'), { name: 'OBS' }, key);
    expect(other.body.key.id).not.toBe(answers[0]?.body.key.id);
    expect(other.body.secret).not.toBeNull();
  });

  test('is one of few, whoever asks at once; one that was ended makes room', async () => {
    const performer = await cast.member('performer');
    const answers = await Promise.all(
      Array.from({ length: streamKeysMax + 3 }, (_, n) => make(performer, { name: `Key ${n}` })),
    );
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.map(({ body }) => body.code)).toEqual(Array(3).fill('stream-key-limit'));
    const first = answers.find(({ status }) => status === 201)?.body.key.id;
    expect((await performer.call('DELETE', `/v1/stream-keys/${first}`)).status).toBe(204);
    expect((await make(performer)).status).toBe(201);
  });

  test('is told of by mail when it is made and when it gets another secret', async () => {
    const performer = await cast.member('performer');
    const { email } = (await performer.call('GET', '/v1/auth/me')).body;
    const told = async () =>
      (await edge.mailbox.list(email))
        .map(({ text }) => text)
        .filter((text) => /stream key/.test(text));
    const key = newKey();
    const { body } = await make(performer, { name: 'OBS' }, key);
    await make(performer, { name: 'OBS' }, key);
    await expect.poll(told).toEqual([expect.stringContaining('A stream key was made')]);
    await performer.call('POST', `/v1/stream-keys/${body.key.id}/rotation`);
    await expect
      .poll(told)
      .toEqual(expect.arrayContaining([expect.stringContaining('has a new secret')]));
    const mails = (await told()).join();
    expect(mails).toContain('/studio');
    expect(mails).not.toContain(body.secret);
    expect(await told()).toHaveLength(2);
  });

  test('is a performer’s own, and says what it is for', async () => {
    const performer = await cast.member('performer');
    const { id } = await keyOf(performer);
    const rival = await cast.member('performer');
    expect((await rival.call('GET', '/v1/stream-keys')).body.keys).toEqual([]);
    expect(await codeOf(rival.call('POST', `/v1/stream-keys/${id}/rotation`))).toEqual([
      404,
      'not-found',
    ]);
    expect((await rival.call('DELETE', `/v1/stream-keys/${id}`)).status).toBe(404);
    expect((await make(await cast.member())).status).toBe(403);
    for (const body of [
      {},
      { name: ' ' },
      { name: 'x', protocols: [] },
      { name: 'x', protocols: ['rtsp'] },
    ]) {
      expect(await codeOf(make(performer, body))).toEqual([422, 'invalid-request']);
    }
  });
});

describe('an encoder', () => {
  test('gets a ticket to publish the stream on the air, and starts the newest one where none is', async () => {
    const performer = await cast.member('performer');
    const { id: keyId, secret } = await keyOf(performer);
    expect(await codeOf(ingest(secret))).toEqual([404, 'not-found']);
    const older = await created(performer, 'Older');
    const newer = await created(performer, 'Newer');
    const { status, body } = await ingest(secret);
    expect([status, body.streamId]).toEqual([201, newer]);
    const claims = RoomTicket.parse(decodeJwt(body.room.ticket));
    expect(claims).toMatchObject({
      sub: performer.id,
      sid: keyId,
      stream: newer,
      capabilities: ['publish'],
    });
    expect(body.room.url).toBe('ws://127.0.0.1:1/room');
    const stream = await edge.call('GET', `/v1/streams/${newer}`);
    expect(stream.body.state).toBe('starting');
    // Reconnecting finds the same, and another one cannot start beside it.
    expect((await ingest(secret)).body.streamId).toBe(newer);
    const beside = ingest(secret, { protocol: 'whip', streamId: older });
    expect(await codeOf(beside)).toEqual([409, 'stream-limit']);
    await performer.call('POST', `/v1/streams/${newer}/end`);
    const over = ingest(secret, { protocol: 'whip', streamId: newer });
    expect(await codeOf(over)).toEqual([409, 'stream-ended']);
    expect((await ingest(secret)).body.streamId).toBe(older);
  });

  test('is refused with a key for another protocol, and for a stream of somebody else', async () => {
    const performer = await cast.member('performer');
    await created(performer);
    const { secret } = await keyOf(performer, { name: 'RTMP', protocols: ['rtmp'] });
    expect(await codeOf(ingest(secret))).toEqual([403, 'forbidden']);
    expect((await ingest(secret, { protocol: 'rtmp' })).status).toBe(201);
    const foreign = await created(await cast.member('performer'));
    const stolen = ingest(secret, { protocol: 'rtmp', streamId: foreign });
    expect(await codeOf(stolen)).toEqual([404, 'not-found']);
  });

  test('is refused when its performer is banned or performs no more', async () => {
    const performer = await cast.member('performer');
    await created(performer);
    const { secret } = await keyOf(performer);
    await edge.database.asOwner(`update users set role = 'viewer' where id = $1`, [performer.id]);
    expect(await codeOf(ingest(secret))).toEqual([403, 'forbidden']);
    await edge.database.asOwner('update users set banned_at = now() where id = $1', [performer.id]);
    expect(await codeOf(ingest(secret))).toEqual([403, 'account-banned']);
  });

  test('leaves a trace of its use, once a minute at most', async () => {
    const performer = await cast.member('performer');
    await created(performer);
    const { id, secret } = await keyOf(performer);
    const lastUsed = async () =>
      (await performer.call('GET', '/v1/stream-keys')).body.keys[0].lastUsedAt;
    await ingest(secret);
    const first = await lastUsed();
    expect(first).not.toBeNull();
    await ingest(secret);
    expect(await lastUsed()).toBe(first);
    await edge.database.asOwner(
      `update stream_keys set last_used_at = now() - interval '61 seconds' where id = $1`,
      [id],
    );
    await ingest(secret);
    expect(await lastUsed()).not.toBe(first);
  });

  test('is refused with anything else, and after a few tries told no more than that', async () => {
    const address = newAddress();
    const wrong = [
      '',
      'lpk_',
      `lpk_${randomBytes(32).toString('base64url')}`,
      (await cast.member('performer')).token,
    ];
    for (const secret of wrong) {
      expect(await codeOf(ingest(secret, undefined, address))).toEqual([401, 'unauthenticated']);
    }
    const codes = new Set<string>();
    for (let attempt = 0; attempt < 25; attempt += 1) {
      const guess = `lpk_${randomBytes(32).toString('base64url')}`;
      codes.add((await ingest(guess, undefined, address)).body.code);
    }
    expect(codes).toEqual(new Set(['unauthenticated', 'rate-limited']));
    // Whoever has a key is not kept from it by who guesses beside them.
    const performer = await cast.member('performer');
    await created(performer);
    const { secret } = await keyOf(performer);
    expect((await ingest(secret, undefined, address)).status).toBe(201);
  });
});

describe('the end of a key', () => {
  const ended = async (before: number) => {
    const rows = await edge.database.asOwner<{ revocation: unknown }>(
      'select revocation_json(r) as revocation from revocations r where number > $1 order by number',
      [before],
    );
    return rows.map(({ revocation }) => Revocation.parse(revocation));
  };

  test.each(['rotation', 'deletion'])(
    'by %s ends what was published with it, and no session',
    async (way) => {
      const performer = await cast.member('performer');
      await created(performer);
      const { id, secret } = await keyOf(performer);
      const { body } = await ingest(secret);
      const claims = RoomTicket.parse(decodeJwt(body.room.ticket));
      const answer =
        way === 'rotation'
          ? await performer.call('POST', `/v1/stream-keys/${id}/rotation`)
          : await performer.call('DELETE', `/v1/stream-keys/${id}`);
      expect(answer.status).toBe(way === 'rotation' ? 200 : 204);
      const [revocation] = await ended(claims.rev);
      const held = {
        rev: claims.rev,
        subject: claims.sub,
        sessionId: claims.sid,
        streamId: claims.stream,
      };
      expect(revocation && isEndedBy(held, revocation)).toBe(true);
      // The studio of the same person goes on.
      expect(revocation && isEndedBy({ ...held, sessionId: newKey() }, revocation)).toBe(false);
      expect(await codeOf(ingest(secret))).toEqual([401, 'unauthenticated']);
      if (way === 'deletion') return;
      expect(answer.body.key.id).toBe(id);
      const next = await ingest(answer.body.secret);
      expect(next.status).toBe(201);
      const renewed = RoomTicket.parse(decodeJwt(next.body.room.ticket));
      expect(revocation && isEndedBy({ ...held, rev: renewed.rev }, revocation)).toBe(false);
    },
  );
});

test('no line of the log has a key in it, whatever becomes of the request', async () => {
  const lines: string[] = [];
  const log = createLog('debug', {}, (line) => lines.push(line));
  const app = createApp({ ...edge.parts.deps, log });
  const bindings = {
    defer: (work: Promise<unknown>) => void work.catch(() => undefined),
    socketAddress: '127.0.0.1',
    country: '',
  };
  const send = (path: string, token: string, body: unknown) =>
    app.fetch(
      new Request(`${edge.url}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': newKey(),
        },
        body: JSON.stringify(body),
      }),
      bindings,
    );
  const performer = await cast.member('performer');
  await created(performer);
  const made = NewStreamKey.parse(
    await (await send('/v1/stream-keys', performer.token, { name: 'OBS' })).json(),
  );
  const secret = made.secret ?? '';
  const unknown = `lpk_${randomBytes(32).toString('base64url')}`;
  const whip = { protocol: 'whip' };
  const statuses = [
    await send('/v1/ingest/tickets', secret, whip),
    await send('/v1/ingest/tickets', unknown, whip),
    await send('/v1/ingest/tickets', secret, { protocol: secret }),
    await send(`/v1/ingest/${secret}`, secret, whip),
  ].map(({ status }) => status);
  expect(statuses).toEqual([201, 401, 422, 404]);
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.join('\n')).not.toContain(secret);
  expect(lines.join('\n')).not.toContain(unknown);
});
