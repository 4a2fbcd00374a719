// Limits: exact over many instances, without a burst at the edge of a window, and kept while Redis is away.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startUpstashProxy } from '../../scripts/local/upstash-proxy/server.ts';
import { redisUrl } from '../../testing/services.ts';
import { createEdgeRedis } from './edge-redis.ts';
import { createLimiter, readsToldEveryMs } from './limiter.ts';

let proxy: Awaited<ReturnType<typeof startUpstashProxy>>;
const token = randomUUID();
beforeAll(async () => {
  proxy = await startUpstashProxy({
    redisUrl: redisUrl(),
    token,
    port: 0,
    log: pino({ level: 'silent' }),
  });
});
afterAll(() => proxy.close());

const instance = (nowMs?: () => number) =>
  createLimiter(createEdgeRedis({ url: `http://127.0.0.1:${proxy.port}`, token }), nowMs);
/** One whose Redis does not answer. */
const lonely = (nowMs: () => number) =>
  createLimiter(createEdgeRedis({ url: 'http://127.0.0.1:1', token }), nowMs);
const newKey = () => `test:${randomUUID()}`;

test('of a thousand requests to four instances at once exactly as many pass as the limit says', async () => {
  const instances = [instance(), instance(), instance(), instance()];
  const asked = { key: newKey(), quota: { requestsMax: 100, windowSeconds: 600 } };
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) => instances[index % 4]?.take([asked])),
  );
  const allowed = answers.filter((answer) => answer?.[0]?.isAllowed);
  expect(allowed).toHaveLength(100);
  expect(Math.min(...allowed.map((answer) => answer?.[0]?.left ?? -1))).toBe(0);
  const refused = answers.find((answer) => !answer?.[0]?.isAllowed)?.[0];
  expect(refused?.left).toBe(0);
  expect(refused?.retryAfterMs).toBeGreaterThan(0);
  expect(refused?.retryAfterMs).toBeLessThanOrEqual(6_000);
}, 30_000);

test('what comes back is spread over the window: there is no edge at which twice as much passes', async () => {
  const limiter = instance();
  const asked = { key: newKey(), quota: { requestsMax: 10, windowSeconds: 1 } };
  const take = async () => (await limiter.take([asked]))[0];
  const beganAt = performance.now();
  let allowed = 0;
  let taken = await take();
  // For a little more than a window, as fast as it goes.
  while (performance.now() - beganAt < 1_200) {
    if (taken?.isAllowed) allowed += 1;
    taken = await take();
  }
  const elapsed = performance.now() - beganAt;
  // At once what the burst allows, and from then on one every 100 ms.
  expect(allowed).toBeGreaterThanOrEqual(10 + Math.floor(elapsed / 100) - 2);
  expect(allowed).toBeLessThanOrEqual(10 + Math.ceil(elapsed / 100) + 1);
});

test('a request that one of its limits refuses costs the others nothing', async () => {
  const limiter = instance();
  const tight = { key: newKey(), quota: { requestsMax: 1, windowSeconds: 60 } };
  const wide = { key: newKey(), quota: { requestsMax: 5, windowSeconds: 60 } };
  expect((await limiter.take([wide, tight])).map(({ isAllowed }) => isAllowed)).toEqual([
    true,
    true,
  ]);
  for (let attempt = 0; attempt < 10; attempt += 1) {
    expect((await limiter.take([wide, tight]))[0]?.isAllowed).toBe(false);
  }
  expect((await limiter.take([wide]))[0]).toMatchObject({ isAllowed: true, left: 3 });
});

test('while Redis is away each instance keeps the limit by itself', async () => {
  let now = 0;
  const limiter = lonely(() => now);
  const asked = { key: newKey(), quota: { requestsMax: 3, windowSeconds: 30 } };
  const take = async () => (await limiter.take([asked]))[0]?.isAllowed;
  expect([await take(), await take(), await take(), await take()]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  now = 10_001;
  expect([await take(), await take()]).toEqual([true, false]);
});

test('reads wait for nobody, and count on other instances a moment later', async () => {
  let now = 0;
  const [one, other] = [instance(() => now), instance(() => now)];
  const key = newKey();
  const quota = { requestsMax: 100, windowSeconds: 600 };
  const told: Promise<unknown>[] = [];
  const read = (limiter: typeof one) => limiter.takeRead(key, quota, (work) => told.push(work));
  now = readsToldEveryMs;
  // The first one is told at once, those that follow it together with the next round.
  for (let count = 0; count < 60; count += 1) expect(read(one).isAllowed).toBe(true);
  now += readsToldEveryMs;
  read(one);
  await Promise.all(told);
  expect(told).toHaveLength(2);
  // The other one has not heard of it, and hears of it with its own first read.
  expect(read(other).left).toBe(99);
  await Promise.all(told);
  expect(read(other).left).toBe(37);
  let allowed = 0;
  while (read(other).isAllowed) allowed += 1;
  expect(allowed).toBe(37);
});

test('more readers than are told of at once are told of one part after the other, each once', async () => {
  let now = 0;
  const one = instance(() => now);
  const other = instance(() => now);
  const keys = Array.from({ length: 250 }, newKey);
  const quota = { requestsMax: 10, windowSeconds: 600 };
  const told: Promise<unknown>[] = [];
  const read = (limiter: typeof one, key: string) =>
    limiter.takeRead(key, quota, (work) => told.push(work));
  for (const key of keys) for (let count = 0; count < 4; count += 1) read(one, key);
  const last = newKey();
  for (let part = 0; part < 4; part += 1) {
    now += readsToldEveryMs;
    read(one, last);
    await Promise.all(told);
  }
  for (const key of keys) {
    now += readsToldEveryMs;
    read(other, key);
    await Promise.all(told);
  }
  expect(keys.map((key) => read(other, key).left)).toEqual(keys.map(() => 4));
});

test('no number of callers makes it remember more than it may', () => {
  let now = 0;
  const limiter = lonely(() => now);
  const quota = { requestsMax: 1, windowSeconds: 3_600 };
  const read = (key: string) =>
    limiter.takeRead(key, quota, (work) => work.catch(() => {})).isAllowed;
  for (let caller = 0; caller < 25_000; caller += 1) read(`caller ${caller}`);
  now += 1;
  expect(read('caller 24999')).toBe(false);
  expect(read('caller 0')).toBe(true);
});
