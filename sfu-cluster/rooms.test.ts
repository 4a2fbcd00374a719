// Tests of joins that are under way when something ends: none gets in, and each hears the true reason.
import { expect, test } from 'vitest';
import { useScene } from './testing/scene.ts';
import { startTestNode } from './testing/test-node.ts';

const scene = useScene();

test('a stream that ends while somebody joins lets nobody in', async () => {
  const { rooms } = scene.node;
  const joining = rooms.join(scene.stream, () => 'in');
  rooms.end(scene.stream);
  await expect(joining).rejects.toMatchObject({ code: 'stream-ended' });
  await expect(rooms.join(scene.stream, () => 'in')).rejects.toMatchObject({
    code: 'stream-ended',
  });
  expect(rooms.find(scene.stream)).toBeNull();
});

test('a node that ends while somebody joins does not call the stream over', async () => {
  const node = await startTestNode({ edgeUrl: scene.edge.url, redisUrl: scene.redisUrl });
  const joining = node.rooms.join(scene.stream, () => 'in');
  const outcome = expect(joining).rejects.toMatchObject({ code: 'unavailable' });
  node.rooms.close('unavailable', 'the node shuts down');
  await outcome;
  await node.close();
});
