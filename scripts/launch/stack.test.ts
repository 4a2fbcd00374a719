// The whole stack: comes up, survives the death of each part, and leaves nothing behind.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Health } from '#contract';
import { type PartName, type Stack, startStack } from './stack.ts';

let dataDir: string;
let stack: Stack;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'livepanty-stack-'));
  stack = await startStack({ dataDir, ports: 'free', disposable: true, withClient: false });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function health(url: string) {
  const answer = await fetch(`${url}/readyz`);
  return Health.parse(await answer.json());
}

test('every part is ready, and the edge reaches its database and Redis through the stand-ins', async () => {
  expect(stack.statuses().map(({ name, state }) => `${name} ${state}`)).toEqual(
    [
      'postgres',
      'redis',
      'neon-proxy',
      'upstash-proxy',
      'sandbox',
      'mailbox',
      'edge',
      'sfu',
      'transcoder',
      'bridge',
      'jobs',
    ].map((name) => `${name} ready`),
  );
  expect((await health(stack.urls.edge)).checks).toMatchObject({
    database: { ok: true },
    redis: { ok: true },
  });
});

test('demo accounts are made at the first start, and can log in', async () => {
  const roles = stack.accounts?.made?.map(({ role }) => role);
  expect(roles).toEqual(['viewer', 'performer', 'admin']);
  const [viewer] = stack.accounts?.made ?? [];
  const answer = await fetch(`${stack.urls.app}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: stack.urls.app },
    body: JSON.stringify({ email: viewer?.email, password: viewer?.password }),
  });
  expect(answer.status).toBe(200);
});

test('secrets can be read by their owner only', async () => {
  for (const name of ['secrets.json', 'demo-accounts.json', 'redis/redis.conf']) {
    expect((await stat(join(dataDir, name))).mode & 0o077, name).toBe(0);
  }
});

test('a second stack with the same data is refused', async () => {
  await expect(startStack({ dataDir, ports: 'free', withClient: false })).rejects.toThrow(
    /is running already/,
  );
});

test.each<PartName>([
  'edge',
  'postgres',
  'redis',
  'neon-proxy',
  'mailbox',
  'sfu',
  'transcoder',
  'bridge',
  'jobs',
])('when %s is killed it comes back, and the edge is ready again', async (part) => {
  const before = stack.statuses().find(({ name }) => name === part);
  await stack.kill(part);
  await stack.untilReady(part);
  const after = stack.statuses().find(({ name }) => name === part);
  expect(after?.pid).not.toBe(before?.pid);
  await expect
    .poll(() => health(stack.urls.edge).then(({ ok }) => ok), { timeout: 10_000 })
    .toBe(true);
});

test('after the end nothing listens and no data is left', async () => {
  const urls = stack.statuses().map(({ address }) => new URL(address).host);
  await stack?.stop();
  for (const host of urls) {
    await expect(fetch(`http://${host}/`), host).rejects.toThrow();
  }
  expect(await readdir(dataDir)).toEqual([]);
});
