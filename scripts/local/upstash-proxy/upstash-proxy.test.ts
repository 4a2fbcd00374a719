// The official Upstash client against the local stand-in and a real Redis.
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { Redis as Upstash } from '@upstash/redis';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis } from '../../../testing/redis.ts';
import { redisUrl } from '../../../testing/services.ts';
import { withoutUpstashFlag } from './lua-flag.ts';
import { requestBodyBytesMax, startUpstashProxy, type UpstashProxy } from './server.ts';

const log = pino({ level: 'silent' });
const token = 'a-token-for-tests-only';
const prefix = `upstash-${randomUUID()}`;
const key = (name: string) => `${prefix}:${name}`;
let proxy: UpstashProxy;
let url: string;
let upstash: Upstash;
let redis: Redis;

beforeAll(async () => {
  proxy = await startUpstashProxy({ redisUrl: redisUrl(), token, port: 0, log });
  url = `http://127.0.0.1:${proxy.port}`;
  upstash = new Upstash({ url, token, retry: false, enableTelemetry: false });
  redis = new Redis(redisUrl());
});

afterAll(async () => {
  const keys = await redis.keys(`${prefix}:*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
  await proxy.close();
});

test('values of every kind survive the way there and back', async () => {
  expect(await upstash.set(key('text'), 'ünï "quoted" \n text')).toBe('OK');
  expect(await upstash.get(key('text'))).toBe('ünï "quoted" \n text');
  await upstash.set(key('object'), { a: [1, null, 'x'] });
  expect(await upstash.get(key('object'))).toEqual({ a: [1, null, 'x'] });
  expect(await upstash.get(key('missing'))).toBeNull();
  expect(await upstash.incrby(key('count'), 41)).toBe(41);
  await upstash.set(key('ok'), 'OK');
  expect(await upstash.mget(key('ok'), key('missing'), key('text'))).toEqual([
    'OK',
    null,
    'ünï "quoted" \n text',
  ]);
  await upstash.hset(key('hash'), { one: 1, two: 'zwei' });
  expect(await upstash.hgetall(key('hash'))).toEqual({ one: 1, two: 'zwei' });
  await upstash.zadd(key('board'), { score: 1.5, member: 'a' }, { score: 2, member: 'b' });
  expect(await upstash.zrange(key('board'), 0, -1, { withScores: true })).toEqual([
    'a',
    1.5,
    'b',
    2,
  ]);
  expect(await upstash.ping()).toBe('PONG');
  expect(await upstash.set(key('once'), 1, { nx: true, ex: 60 })).toBe('OK');
  expect(await upstash.set(key('once'), 2, { nx: true, ex: 60 })).toBeNull();
});

test('answers are readable text when the client does not ask for base64', async () => {
  const plain = new Upstash({ url, token, retry: false, responseEncoding: false });
  await plain.set(key('plain'), 'héllo');
  expect(await plain.get(key('plain'))).toBe('héllo');
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(['GET', key('plain')]),
  });
  expect(await answer.json()).toEqual({ result: 'héllo' });
});

test('the path form of a command works', async () => {
  const headers = { authorization: `Bearer ${token}` };
  const name = encodeURIComponent(key('path'));
  const set = await fetch(`${url}/set/${name}?EX=100`, { method: 'POST', headers, body: 'a body' });
  expect(await set.json()).toEqual({ result: 'OK' });
  const get = await fetch(`${url}/get/${name}?_token=${token}`);
  expect(await get.json()).toEqual({ result: 'a body' });
  expect(await redis.ttl(key('path'))).toBeGreaterThan(90);
});

test('a pipeline answers each command for itself', async () => {
  const pipeline = upstash.pipeline();
  pipeline.set(key('p'), 'text');
  pipeline.incr(key('p'));
  pipeline.get(key('p'));
  const answers = await pipeline.exec({ keepErrors: true });
  expect(answers[0]).toMatchObject({ result: 'OK' });
  expect(answers[1]?.error).toMatch(/not an integer/);
  expect(answers[2]).toMatchObject({ result: 'text' });
});

test('a transaction runs as one, and none of it when a command is malformed', async () => {
  const replies = await upstash.multi().set(key('m'), 1).incr(key('m')).get(key('m')).exec();
  expect(replies).toEqual(['OK', 2, 2]);
  const answer = await fetch(`${url}/multi-exec`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify([
      ['SET', key('m'), 'changed'],
      ['NO-SUCH-COMMAND', 'x'],
    ]),
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({ error: expect.stringMatching(/^EXECABORT/) });
  expect(await redis.get(key('m'))).toBe('2');
});

test('scripts run by text and by hash, with and without the Upstash-only flag', async () => {
  const plain = 'return {KEYS[1], ARGV[1], 7}';
  expect(await upstash.eval(plain, [key('s')], ['x'])).toEqual([key('s'), 'x', 7]);

  const flagged = `#!lua flags=allow-key-locking\nreturn redis.call('INCRBY', KEYS[1], ARGV[1]) -- ${prefix}`;
  const hash = createHash('sha1').update(flagged).digest('hex');
  await expect(upstash.evalsha(hash, [key('n')], ['5'])).rejects.toThrow(/NOSCRIPT/);
  expect(await upstash.eval(flagged, [key('n')], ['5'])).toBe(5);
  // The client knows its script by the hash of what it sent.
  expect(await upstash.evalsha(hash, [key('n')], ['5'])).toBe(10);
  expect(await upstash.scriptLoad(flagged)).toBe(hash);
  expect(await upstash.scriptExists(hash)).toEqual([1]);
});

test('only the Upstash flag is taken out of a script', () => {
  expect(withoutUpstashFlag('#!lua flags=allow-key-locking\nreturn 1')).toBe('\nreturn 1');
  expect(withoutUpstashFlag('#!lua flags=no-writes,allow-key-locking\nreturn 1')).toBe(
    '#!lua flags=no-writes\nreturn 1',
  );
  expect(withoutUpstashFlag('#!lua flags=no-writes\nreturn 1')).toBe(
    '#!lua flags=no-writes\nreturn 1',
  );
  expect(withoutUpstashFlag('return "flags=allow-key-locking"')).toBe(
    'return "flags=allow-key-locking"',
  );
});

test('a subscriber hears what is published, by channel and by pattern', async () => {
  const subscriber = upstash.subscribe<{ n: number }>(key('room:1'));
  const patterns = upstash.psubscribe<{ n: number }>(`${prefix}:room:*`);
  const heard: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    let subscribed = 0;
    const publishWhenBoth = () => {
      subscribed += 1;
      if (subscribed === 2) upstash.publish(key('room:1'), { n: 7, text: 'a,b' }).catch(reject);
    };
    const hear = (data: unknown) => {
      heard.push(data);
      if (heard.length === 2) resolve();
    };
    subscriber.on('subscribe', publishWhenBoth);
    patterns.on('psubscribe', publishWhenBoth);
    subscriber.on('message', hear);
    patterns.on('pmessage', hear);
    subscriber.on('error', reject);
    patterns.on('error', reject);
  });
  await subscriber.unsubscribe();
  await patterns.unsubscribe();
  const message = { n: 7, text: 'a,b' };
  expect(heard).toContainEqual({ channel: key('room:1'), message });
  expect(heard).toContainEqual({ pattern: `${prefix}:room:*`, channel: key('room:1'), message });
  await expect
    .poll(() => redis.pubsub('NUMSUB', key('room:1')).then(([, count]) => count), {
      timeout: 10_000,
    })
    .toBe(0);
});

test('a wrong token, a blocking command, a malformed body and a large one are refused', async () => {
  await expect(new Upstash({ url, token: 'guess', retry: false }).get('x')).rejects.toThrow(
    /Unauthorized/,
  );
  const post = (body: string) =>
    fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body });
  for (const body of [
    '["BLPOP","x","0"]',
    '["XREAD","BLOCK","0"]',
    '["select","1"]',
    '{',
    '[]',
    '[{}]',
  ]) {
    const answer = await post(body);
    expect(answer.status, body).toBe(400);
    expect(await answer.json()).toEqual({ error: expect.stringMatching(/^ERR/) });
  }
  for (const path of ['//', '/get/%']) {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    expect([answer.status, await answer.json()], path).toEqual([
      400,
      { error: 'ERR malformed path' },
    ]);
  }
  expect((await post(JSON.stringify(['SET', 'x', 'y'.repeat(requestBodyBytesMax)]))).status).toBe(
    413,
  );
});

test('while Redis is away commands are refused, and a subscription ends; then it goes on', async () => {
  const own = await startRedis();
  const local = await startUpstashProxy({ redisUrl: own.url, token, port: 0, log });
  const address = `http://127.0.0.1:${local.port}`;
  const client = new Upstash({ url: address, token, retry: false });
  await client.set('a', 1);
  const stream = await fetch(`${address}/subscribe/room`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const ended = stream.text();
  await own.stop();
  expect(await ended).toBe('data: subscribe,room,1\n\n');
  await expect(client.set('a', 2)).rejects.toThrow(/redis cannot be reached/);
  expect((await fetch(`${address}/readyz`)).status).toBe(503);
  const again = await startRedis(own.port);
  await expect
    .poll(() => fetch(`${address}/readyz`).then((answer) => answer.status), { timeout: 10_000 })
    .toBe(200);
  expect(await client.set('a', 3)).toBe('OK');
  await local.close();
  await again.stop();
});

test('the password of Redis is never logged, not even a wrong one', async () => {
  const own = await startRedis();
  const admin = new Redis(own.url);
  await admin.config('SET', 'requirepass', 'the right one');
  admin.disconnect();
  const lines: string[] = [];
  const local = await startUpstashProxy({
    redisUrl: own.url.replace('redis://', 'redis://:the-wrong-one@'),
    token,
    port: 0,
    log: pino({ level: 'trace' }, { write: (line) => void lines.push(line) }),
  });
  await expect.poll(() => lines.join(''), { timeout: 10_000 }).toContain('WRONGPASS');
  expect(lines.join('')).not.toContain('the-wrong-one');
  await local.close();
  await own.stop();
});

test('it does not start in production', () => {
  const result = spawnSync(process.execPath, [new URL('main.ts', import.meta.url).pathname], {
    env: { ...process.env, ENVIRONMENT: 'production' },
    encoding: 'utf8',
  });
  expect(result.status).toBe(1);
  expect(result.stderr).toMatch(/does not start when ENVIRONMENT=production/);
});
