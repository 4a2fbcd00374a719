// Tests of a node that is drained: nobody new comes, everybody is asked to go elsewhere, publishers first, and what it
// has goes on until they have gone.
import { expect, test } from 'vitest';
import { SfuNode, sfuNodesKey } from '#contract';
import { publishMicrophone, useScene } from './testing/scene.ts';
import { startTestNode } from './testing/test-node.ts';

const scene = useScene();

async function startDraining(drainSeconds: number) {
  const { edge, redisUrl } = scene;
  return startTestNode({
    edgeUrl: edge.url,
    redisUrl,
    nodeId: `sfu-${crypto.randomUUID().slice(0, 8)}`,
    env: { SFU_DRAIN_SECONDS: String(drainSeconds) },
  });
}

test('is marked in the registry at once, tells its publisher first, then its viewers, and ends when they have gone', async () => {
  const node = await startDraining(20);
  const host = await scene.join({ capabilities: ['publish'] }, node);
  await publishMicrophone(host);
  const viewers = await Promise.all(
    Array.from({ length: 5 }, () => scene.join({ capabilities: ['subscribe'] }, node)),
  );
  const isTold = (client: typeof host) => client.of('room.move').length === 1;
  const drained = node.drain();
  await host.wait(() => isTold(host));
  const entry = SfuNode.parse(JSON.parse((await scene.redis.hget(sfuNodesKey, node.nodeId)) ?? ''));
  expect(entry.draining).toBe(true);
  expect((await fetch(`${node.httpUrl}/readyz`)).status).toBe(503);
  // While the publisher is here, viewers would only follow back and forth.
  expect(viewers.filter(isTold)).toEqual([]);
  expect(await host.request('ping', {})).toEqual({});
  host.close();
  await Promise.all(viewers.map((viewer) => viewer.wait(() => isTold(viewer))));
  for (const viewer of viewers) {
    expect(await viewer.request('ping', {})).toEqual({});
    viewer.close();
  }
  await drained;
  await node.close();
});

test('waits no longer than it may for those who stay', async () => {
  const node = await startDraining(1);
  const viewer = await scene.join({ capabilities: ['subscribe'] }, node);
  const beganAt = performance.now();
  await node.drain();
  expect(performance.now() - beganAt).toBeGreaterThan(900);
  await node.close();
  expect(await viewer.closed).toBe('unavailable');
});

test('machines of ours are told before the publisher has left', async () => {
  const node = await startDraining(5);
  const host = await scene.join({ capabilities: ['publish'] }, node);
  await publishMicrophone(host);
  const transcoder = await scene.join({ aud: 'node' }, node);
  const drained = node.drain();
  await transcoder.wait((frame) => frame.type === 'room.move');
  host.close();
  transcoder.close();
  await drained;
  await node.close();
});
