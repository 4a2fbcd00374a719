// Tests of media workers that fail: their rooms come back, others do not notice, the node stays up.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { sfuNodesKey } from '#contract';
import type { RoomClient } from '../testing/room-client.ts';
import { publishCamera, useScene } from '../testing/scene.ts';

const scene = useScene({ workers: 2 });

async function publish(stream = scene.stream): Promise<RoomClient> {
  const host = await scene.join({ stream, capabilities: ['publish'] });
  await publishCamera(host, 1);
  return host;
}

async function workerOf(streamId: string) {
  const media = await scene.node.rooms.find(streamId)?.media();
  if (!media) throw new Error('the room has no media');
  return media.home.worker;
}

async function allWorkers(): Promise<void> {
  await expect.poll(() => scene.node.pool.workers.length, { timeout: 10_000 }).toBe(2);
}

describe('a media worker that is killed', () => {
  test('sends its publishers and viewers away to come again, and leaves the others alone', async () => {
    await allWorkers();
    const elsewhere = randomUUID();
    const host = await publish();
    const otherHost = await publish(elsewhere);
    const worker = await workerOf(scene.stream);
    // Rooms spread over the workers, so the other one is on the other worker.
    expect((await workerOf(elsewhere)).index).not.toBe(worker.index);
    const listener = await scene.join();
    await listener.wait((frame) => frame.type === 'room.media');
    const killedAt = performance.now();

    process.kill(worker.pid, 'SIGKILL');

    expect(await host.closed).toBe('unavailable');
    await scene.edge.report((r) =>
      r.streams.some((s) => s.streamId === scene.stream && !s.publishing),
    );
    const back = await publish();
    expect(performance.now() - killedAt).toBeLessThan(2_000);
    await listener.wait(() => listener.of('room.media').at(-1)?.sources.length === 1);
    expect(listener.of('room.media').map((frame) => frame.sources)).toEqual([
      ['camera'],
      [],
      ['camera'],
    ]);
    expect(await otherHost.request('ping', {})).toEqual({});
    expect(otherHost.of('producer.closed')).toEqual([]);
    await allWorkers();
    back.close();
    listener.close();
    otherHost.close();
  });

  test('is replaced, and the load shows it until then', async () => {
    await allWorkers();
    const redis = new Redis(scene.redisUrl);
    for (const worker of scene.node.pool.workers) process.kill(worker.pid, 'SIGKILL');
    await expect.poll(() => scene.node.pool.load, { interval: 5 }).toBe(1);
    const ready = await fetch(`${scene.node.httpUrl}/readyz`);
    expect((await fetch(`${scene.node.httpUrl}/healthz`)).status).toBe(200);
    expect([200, 503]).toContain(ready.status);
    await allWorkers();
    const again = await fetch(`${scene.node.httpUrl}/readyz`);
    expect(await again.json()).toMatchObject({
      ok: true,
      checks: { worker: { detail: '2 of 2 workers answer' }, redis: { ok: true } },
    });
    await expect
      .poll(async () => await redis.hget(sfuNodesKey, 'sfu-test'), { timeout: 10_000 })
      .toContain(scene.node.nodeId);
    redis.disconnect();
    const host = await publish();
    host.close();
  });

  test('a request that comes while no worker runs is served by the next one', async () => {
    await allWorkers();
    const host = await scene.performer();
    for (const worker of scene.node.pool.workers) process.kill(worker.pid, 'SIGKILL');
    await expect.poll(() => scene.node.pool.workers.length, { interval: 1 }).toBe(0);
    await host.request('transport.create', { direction: 'send' });
    host.close();
  });
});

describe('a media worker that hangs', () => {
  test('is killed and replaced, and its rooms come back', async () => {
    await allWorkers();
    const host = await publish();
    const worker = await workerOf(scene.stream);
    process.kill(worker.pid, 'SIGSTOP');
    expect(await host.closed).toBe('unavailable');
    await allWorkers();
    expect(scene.node.pool.workers.map((one) => one.pid)).not.toContain(worker.pid);
    const back = await publish();
    back.close();
  }, 30_000);
});
