// Tests of what a revocation ends: tickets, sockets and media of whom it names, at once and everywhere, and no others.
import { randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { assert, usedTicketKey } from '#contract';
import { routerRtpCapabilities } from './media/codecs.ts';
import type { Room } from './room.ts';
import { RoomClient, showing } from './testing/room-client.ts';
import { publishCamera, useScene } from './testing/scene.ts';
import { startTestNode } from './testing/test-node.ts';

const scene = useScene();

const endedWithinMs = 2_000;
const rtpCapabilities = { ...routerRtpCapabilities };

/** A viewer with a session of its own, and a transport. */
async function watcher(stream = scene.stream) {
  const [sub, sid] = [randomUUID(), randomUUID()];
  const client = await scene.join({ stream, sub, sid, capabilities: ['subscribe'] });
  const { transportId } = await client.request('transport.create', { direction: 'receive' });
  return { client, sub, sid, transportId };
}

/** What the media worker still has of a room. */
async function transportsOf(room: Room): Promise<string[]> {
  return (await (await room.media()).home.router.dump()).transportIds;
}

async function expectUntouched(client: RoomClient): Promise<void> {
  expect(await client.request('ping', {})).toEqual({});
}

/** One revocation of each kind, all of which end the tickets of the same person. */
const revocationsOf = ({ stream, sub, sid }: { stream: string; sub: string; sid: string }) =>
  [
    { kind: 'session', subject: sid },
    { kind: 'user', subject: sub },
    { kind: 'viewer', subject: sub, streamId: stream },
    { kind: 'stream', streamId: stream },
  ] as const;

describe('a ticket', () => {
  test.each(['session', 'user', 'viewer', 'stream'])(
    'signed before the revocation is refused, one after is let in: of a %s',
    async (kind) => {
      const who = { stream: scene.stream, sub: randomUUID(), sid: randomUUID() };
      const jti = randomUUID();
      const before = await scene.edge.ticket({ ...who, jti });
      const others = [{ stream: randomUUID() }, { stream: scene.stream, aud: 'node' }] as const;
      const ofOthers = await Promise.all(others.map((wish) => scene.edge.ticket(wish)));
      const what = revocationsOf(who).find((revocation) => revocation.kind === kind);
      assert(what, 'there are four kinds');
      const { number } = await scene.revoke(what);
      await expect.poll(() => scene.node.revocations.known).toBe(number);
      const join = (ticket: string) => RoomClient.join(scene.node.socketUrl, ticket);
      await expect(join(before)).rejects.toMatchObject({ code: 'revoked' });
      expect(await scene.redis.exists(usedTicketKey(jti))).toBe(0);
      const after = await scene.edge.ticket(who);
      for (const ticket of [...ofOthers, after]) (await join(ticket)).close();
    },
  );
});

describe('a revoked session', () => {
  const roomsCount = 10;
  const watchersOfRoom = 10;

  /** How long each took from being published until its socket and its transport were gone. */
  async function measure(order: 'one by one' | 'all at once'): Promise<number[]> {
    const streams = Array.from({ length: roomsCount }, () => randomUUID());
    const hosts = await Promise.all(streams.map((stream) => scene.join({ stream })));
    const acts = streams.flatMap((stream) =>
      Array.from({ length: watchersOfRoom }, async () => {
        const { client, sid, transportId } = await watcher(stream);
        const room = scene.node.rooms.find(stream);
        return async () => {
          const revokedAtMs = performance.now();
          await scene.revoke({ kind: 'session', subject: sid });
          expect(await client.closed).toBe('revoked');
          while (room && (await transportsOf(room)).includes(transportId));
          return performance.now() - revokedAtMs;
        };
      }),
    );
    const ready = await Promise.all(acts);
    const tookMs: number[] = [];
    if (order === 'all at once') tookMs.push(...(await Promise.all(ready.map((act) => act()))));
    else for (const act of ready) tookMs.push(await act());
    for (const host of hosts) await expectUntouched(host);
    for (const host of hosts) host.close();
    return tookMs.toSorted((one, other) => one - other);
  }

  test.each(['one by one', 'all at once'] as const)(
    'sockets and transports are gone within 2 s, measured 100 times, %s',
    async (order) => {
      const tookMs = await measure(order);
      const at = (share: number) => tookMs[Math.ceil(tookMs.length * share) - 1] ?? Number.NaN;
      const figures = { p50: at(0.5), p99: at(0.99), max: at(1) };
      const told = Object.entries(figures).map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`);
      console.info(`revoked until gone, ${order}: ${told.join(', ')}`);
      expect(tookMs).toHaveLength(roomsCount * watchersOfRoom);
      expect(figures.max, told.join(', ')).toBeLessThan(endedWithinMs);
    },
  );

  test('is gone within 2 s though it does not answer the close', async () => {
    const { client, sid } = await watcher();
    const bystander = await scene.join();
    client.pause();
    const revokedAtMs = performance.now();
    await scene.revoke({ kind: 'session', subject: sid });
    await expect.poll(() => transportsOf(scene.room), { interval: 5 }).toEqual([]);
    // Its media does not wait for its socket.
    expect(scene.room.size).toBe(2);
    await expect.poll(() => scene.room.size, { interval: 5, timeout: 3_000 }).toBe(1);
    expect(performance.now() - revokedAtMs).toBeLessThan(endedWithinMs);
    client.cut();
    bystander.close();
  });

  test('others in the room lose nothing', async () => {
    const host = await scene.performer();
    const producerId = await publishCamera(host);
    const [one, other] = [await watcher(), await watcher()];
    for (const { client, transportId } of [one, other]) {
      await client.request('consume', { transportId, rtpCapabilities });
    }
    await scene.revoke({ kind: 'session', subject: one.sid });
    expect(await one.client.closed).toBe('revoked');
    await expectUntouched(other.client);
    await expectUntouched(host);
    expect(other.client.of('consumer.closed')).toEqual([]);
    expect(host.of('producer.closed')).toEqual([]);
    expect(other.client.of('room.media').map(({ sources }) => sources)).toEqual([['camera']]);
    const media = await scene.room.media();
    const { mapProducerIdConsumerIds } = await media.home.router.dump();
    expect(mapProducerIdConsumerIds).toMatchObject([{ key: producerId, values: [{}] }]);
    host.close();
    other.client.close();
  });

  test('leaves the other sessions of the same person alone', async () => {
    const sub = randomUUID();
    const sids = [randomUUID(), randomUUID()];
    const [phone, desk] = await Promise.all(sids.map((sid) => scene.join({ sub, sid })));
    await scene.revoke({ kind: 'session', subject: sids[0] ?? null });
    expect(await phone?.closed).toBe('revoked');
    if (desk) await expectUntouched(desk);
    desk?.close();
  });

  test('that ends while it comes in does not get in', async () => {
    const sid = randomUUID();
    const { rooms } = scene.node;
    const join = rooms.join.bind(rooms);
    // The ticket has been taken by then, and the room is not open yet.
    const opening = vi.spyOn(rooms, 'join').mockImplementationOnce(async (streamId, enter) => {
      const { number } = await scene.revoke({ kind: 'session', subject: sid });
      await expect.poll(() => scene.node.revocations.known).toBe(number);
      return join(streamId, enter);
    });
    await expect(scene.join({ sid })).rejects.toMatchObject({ code: 'revoked' });
    expect(opening).toHaveBeenCalledOnce();
    opening.mockRestore();
    expect(rooms.find(scene.stream)).toBeNull();
  });
});

test('a ban ends every socket of a person on every node, also of those without a session', async () => {
  const nodeId = 'sfu-second';
  const urls = { edgeUrl: scene.edge.url, redisUrl: scene.redisUrl };
  const second = await startTestNode({ ...urls, nodeId });
  const sub = randomUUID();
  const sockets = await Promise.all([
    scene.join({ sub, sid: randomUUID() }),
    scene.join({ sub, stream: randomUUID() }),
    scene.join({ sub, node: nodeId, sid: randomUUID() }, second),
  ]);
  const bystander = await scene.join({ node: nodeId }, second);
  await scene.revoke({ kind: 'user', subject: sub });
  for (const socket of sockets) expect(await socket.closed).toBe('revoked');
  await expectUntouched(bystander);
  bystander.close();
  await second.close();
});

test('a publisher that is revoked leaves the stage, and may come back with a new ticket', async () => {
  const sub = randomUUID();
  const guest = await scene.viewer();
  const host = await scene.performer(sub);
  await publishCamera(host);
  await guest.wait(showing(['camera']));
  await scene.revoke({ kind: 'user', subject: sub });
  expect(await host.closed).toBe('revoked');
  const told = () => guest.of('room.media').map(({ sources }) => sources.join());
  await guest.wait(() => told().length === 3);
  expect(told()).toEqual(['', 'camera', '']);
  await scene.edge.report((report) =>
    report.streams.some((s) => s.streamId === scene.stream && !s.publishing && s.viewers === 1),
  );
  const rival = await scene.performer();
  await publishCamera(rival);
  rival.close();
  await rival.closed;
  await publishCamera(await scene.performer(sub));
  guest.close();
});

describe('of one stream', () => {
  test('a viewer revocation leaves the same person in another', async () => {
    const sub = randomUUID();
    const elsewhere = await scene.join({ sub, stream: randomUUID() });
    const here = await scene.viewer(sub);
    const neighbour = await scene.viewer();
    await scene.revoke({ kind: 'viewer', subject: sub, streamId: scene.stream });
    expect(await here.closed).toBe('revoked');
    await expectUntouched(elsewhere);
    await expectUntouched(neighbour);
    elsewhere.close();
    neighbour.close();
  });

  test('a stream revocation ends all viewers, and neither its publisher nor its transcoder', async () => {
    const host = await scene.performer();
    await publishCamera(host);
    const tap = await scene.transcoder();
    await tap.request('tap.open', { address: '127.0.0.1', audioPort: 9, videoPorts: [10, 11] });
    const viewers = [await scene.viewer(), await scene.join()];
    const elsewhere = await scene.join({ stream: randomUUID() });
    await scene.revoke({ kind: 'stream', streamId: scene.stream });
    for (const viewer of viewers) expect(await viewer.closed).toBe('revoked');
    for (const client of [host, tap, elsewhere]) await expectUntouched(client);
    expect(host.of('producer.closed')).toEqual([]);
    for (const client of [host, tap, elsewhere]) client.close();
  });
});
