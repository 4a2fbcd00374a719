// Tests of the registry: two processes under one id are noticed, and do not take each other off the list.
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { Health, sfuNodesKey } from '#contract';
import { useScene } from './testing/scene.ts';
import { startTestNode } from './testing/test-node.ts';

const nodeId = 'sfu-twin';
const scene = useScene({ nodeId });

test('a second node with the same id makes the first one unready', async () => {
  const name = async () => {
    const health = Health.parse(await (await fetch(`${scene.node.httpUrl}/readyz`)).json());
    return health.checks.name?.ok;
  };
  expect(await name()).toBe(true);
  const urls = { edgeUrl: scene.edge.url, redisUrl: scene.redisUrl };
  const twin = await startTestNode({ ...urls, nodeId });
  await expect.poll(name, { timeout: 5_000 }).toBe(false);
  await twin.close();
  await expect.poll(name, { timeout: 5_000 }).toBe(true);
});

test('a node that ends leaves the entry of its successor alone', async () => {
  const urls = { edgeUrl: scene.edge.url, redisUrl: scene.redisUrl };
  const ending = await startTestNode({ ...urls, nodeId: 'sfu-ending' });
  const redis = new Redis(scene.redisUrl);
  const entry = () => redis.hget(sfuNodesKey, 'sfu-ending');
  const first = await entry();
  await expect.poll(entry, { timeout: 5_000 }).not.toBe(first);
  await redis.hset(sfuNodesKey, 'sfu-ending', 'the successor');
  await ending.close();
  expect(await entry()).toBe('the successor');
  await redis.hdel(sfuNodesKey, 'sfu-ending');
  redis.disconnect();
});
