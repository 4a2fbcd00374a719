// Tests of a room on several workers of one node: viewers beyond one worker's places, the copies that they need, and
// workers that fail.
import { describe, expect, test } from 'vitest';
import { packetsFlow } from '../testing/packets.ts';
import type { RoomClient } from '../testing/room-client.ts';
import { publishRtp } from '../testing/rtp-source.ts';
import { useScene } from '../testing/scene.ts';
import type { Branch } from './branch.ts';
import { branchLingersMs } from './branches.ts';
import { routerRtpCapabilities } from './codecs.ts';

const scene = useScene({ workers: 2, env: { SFU_VIEWERS_PER_WORKER: '4' } });

async function watch(): Promise<RoomClient> {
  const viewer = await scene.viewer();
  const { transportId } = await viewer.request('transport.create', { direction: 'receive' });
  await viewer.request('consume', { transportId, rtpCapabilities: { ...routerRtpCapabilities } });
  return viewer;
}

async function watchers(count: number): Promise<RoomClient[]> {
  const all: RoomClient[] = [];
  for (let index = 0; index < count; index += 1) all.push(await watch());
  return all;
}

const branches = async () => (await scene.room.media()).branches;

async function holdings({ router }: Branch): Promise<{ transports: number; consumers: number }> {
  const { transportIds, mapConsumerIdProducerId } = await router.dump();
  return { transports: transportIds.length, consumers: mapConsumerIdProducerId.length };
}

describe('a room with more viewers than half a worker carries', () => {
  test('is copied once to another worker, where its tracks flow, and keyframes are asked for across', async () => {
    const keeper = await scene.join();
    const source = await publishRtp(scene.room, 3);
    const viewers = await watchers(6);
    const media = await scene.room.media();
    const copy = (await branches()).find((branch) => branch !== media.home);
    expect(copy?.worker).not.toBe(media.home.worker);
    if (!copy || !source.video) throw new Error('there is no copy');
    const [here, there] = [media.home.viewers, copy.viewers];
    expect(here + there).toBe(6);
    expect(there).toBeGreaterThan(1);
    // One pipe with a consumer of each track, whatever the number of viewers at its end.
    expect(await holdings(media.home)).toEqual({
      transports: 1 + here + 1,
      consumers: here * 2 + 2,
    });
    expect(await holdings(copy)).toEqual({ transports: there + 1, consumers: there * 2 });
    const requests = source.keyframeRequests;
    expect(await packetsFlow(copy.router, source.video.id)).toBeGreaterThan(0);
    await expect.poll(() => source.keyframeRequests).toBeGreaterThan(requests);
    source.close();
    for (const viewer of viewers) viewer.close();
    keeper.close();
  });

  test('gives the copy up when nobody there watches any more', async () => {
    const keeper = await scene.join();
    const source = await publishRtp(scene.room, 1);
    const viewers = await watchers(4);
    expect(await branches()).toHaveLength(2);
    const { home } = await scene.room.media();
    for (const viewer of viewers) viewer.close();
    await expect
      .poll(async () => (await branches()).length, { timeout: branchLingersMs * 2 })
      .toBe(1);
    expect(await branches()).toEqual([home]);
    // The other end of the pipe is gone too.
    await expect.poll(() => holdings(home)).toEqual({ transports: 1, consumers: 0 });
    source.close();
    keeper.close();
  });
});

describe('a node whose workers are all full', () => {
  test('refuses the next viewer with `no-room`, and takes them when somebody has left', async () => {
    const keeper = await scene.join();
    const viewers = await watchers(8);
    const next = await scene.viewer();
    const ask = () => next.request('transport.create', { direction: 'receive' });
    await expect(ask()).rejects.toMatchObject({ code: 'no-room' });
    // Publishers are not crowded out by those who watch.
    const host = await scene.performer();
    await host.request('transport.create', { direction: 'send' });
    viewers.pop()?.close();
    await expect.poll(() => scene.node.pool.viewers.now).toBe(7);
    await ask();
    for (const client of [...viewers, next, host, keeper]) client.close();
  });
});

describe('a worker with a copy that is killed', () => {
  test('sends away those who watched on it, and nobody else', async () => {
    const keeper = await scene.join();
    const source = await publishRtp(scene.room, 1);
    const viewers = await watchers(6);
    const { home } = await scene.room.media();
    const copy = (await branches()).find((branch) => branch !== home);
    const there = copy?.viewers ?? 0;
    expect(there).toBeGreaterThan(1);
    const sentAway: unknown[] = [];
    for (const { closed } of viewers) void closed.then((code) => sentAway.push(code));
    process.kill(copy?.worker.pid ?? 0, 'SIGKILL');
    await expect.poll(() => sentAway).toEqual(Array.from({ length: there }, () => 'unavailable'));
    expect(scene.room.sources).toEqual(['microphone', 'camera']);
    expect(await branches()).toEqual([home]);
    await expect.poll(() => scene.node.pool.workers.length, { timeout: 5_000 }).toBe(2);
    const back = await watchers(there);
    await expect.poll(() => scene.node.pool.viewers.now).toBe(6);
    for (const client of [...viewers, ...back, keeper]) client.close();
    source.close();
  });
});
