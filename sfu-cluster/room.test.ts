// Tests of rooms: who has the stage, who is counted, and what everybody is told.
import { createHmac, randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { audienceBeatMs, audiencePartOf, audiencePartsKey, chatMessageCharsMax } from '#contract';
import { routerRtpCapabilities } from './media/codecs.ts';
import { chatEvent } from './testing/chat-event.ts';
import { showing } from './testing/room-client.ts';
import { h264Parameters } from './testing/rtp-source.ts';
import { publishCamera, publishMicrophone, useScene } from './testing/scene.ts';
import { testNodeSecret } from './testing/test-edge.ts';

const scene = useScene();

describe('the stage', () => {
  test('a second publisher is refused and the first goes on', async () => {
    const host = await scene.performer();
    const producerId = await publishCamera(host);
    const rival = await scene.performer();
    await expect(publishCamera(rival)).rejects.toMatchObject({ code: 'already-published' });
    expect(await rival.request('ping', {})).toEqual({});
    await host.request('producer.close', { producerId });
    // The stage is free now.
    await publishCamera(rival);
    host.close();
    rival.close();
  });

  test('two publishers at the same moment: exactly one is taken', async () => {
    const rivals = await Promise.all([scene.performer(), scene.performer(), scene.performer()]);
    const outcomes = await Promise.allSettled(rivals.map((client) => publishCamera(client)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const client of rivals) client.close();
  });

  test('one source is published once', async () => {
    const host = await scene.performer();
    const { transportId } = await host.request('transport.create', { direction: 'send' });
    const camera = (ssrc: number) =>
      host.request('produce', {
        transportId,
        kind: 'video',
        source: 'camera',
        rtpParameters: { ...h264Parameters([ssrc]), mid: String(ssrc) },
      });
    await camera(41);
    await expect(camera(42)).rejects.toMatchObject({ code: 'already-published' });
    host.close();
  });

  test('the host who looks at what goes out is none of the viewers', async () => {
    const sub = randomUUID();
    const host = await scene.performer(sub);
    await publishCamera(host);
    const monitor = await scene.join({ sub, capabilities: ['subscribe', 'monitor'] });
    await monitor.wait(() => monitor.of('room.media').length > 0);
    expect(scene.room.size).toBe(2);
    expect(scene.room.viewers).toBe(0);
    const viewer = await scene.viewer();
    await viewer.wait(() => viewer.of('room.media').length > 0);
    expect(scene.room.viewers).toBe(1);
    for (const client of [host, monitor, viewer]) client.close();
  });

  test('the same performer takes over from an older socket', async () => {
    const sub = randomUUID();
    const guest = await scene.viewer();
    const old = await scene.performer(sub);
    await publishCamera(old);
    const fresh = await scene.performer(sub);
    await publishCamera(fresh);
    expect(await old.closed).toBe('replaced');
    await guest.wait(
      () => guest.of('room.media').filter((frame) => frame.sources.length > 0).length === 2,
    );
    expect(guest.of('room.media').map((frame) => frame.sources)).toEqual([
      [],
      ['camera'],
      [],
      ['camera'],
    ]);
    fresh.close();
    guest.close();
  });

  test('a viewer hears that a track has ended before the list of sources changes', async () => {
    const sub = randomUUID();
    const guest = await scene.viewer();
    const old = await scene.performer(sub);
    await publishMicrophone(old);
    const { transportId } = await guest.request('transport.create', { direction: 'receive' });
    const rtpCapabilities = { ...routerRtpCapabilities };
    const { consumers } = await guest.request('consume', { transportId, rtpCapabilities });
    await guest.wait(showing(['microphone']));
    const fresh = await scene.performer(sub);
    await publishMicrophone(fresh);
    await guest.wait(() => guest.of('room.media').length === 4);
    const told = guest.frames.flatMap((frame) => {
      if (frame.type === 'consumer.closed') return [frame.consumerId];
      return frame.type === 'room.media' ? [frame.sources.join()] : [];
    });
    expect(told).toEqual(['', 'microphone', consumers[0]?.consumerId, '', 'microphone']);
    const next = await guest.request('consume', { transportId, rtpCapabilities });
    expect(next.consumers).toHaveLength(1);
    fresh.close();
    guest.close();
  });

  test('a performer whose connection is cut takes the tracks along', async () => {
    const guest = await scene.viewer();
    const host = await scene.performer();
    await publishCamera(host);
    await guest.wait(showing(['camera']));
    host.cut();
    await guest.wait(
      () =>
        guest
          .of('room.media')
          .map((frame) => frame.sources.length)
          .join() === '0,1,0',
    );
    guest.close();
  });
});

describe('counting viewers', () => {
  test('windows of one person are one viewer, and the performer is none', async () => {
    const host = await scene.performer();
    const sub = randomUUID();
    const first = await scene.viewer(sub);
    const second = await scene.viewer(sub);
    const other = await scene.join();
    await host.wait(() => host.of('room.viewers').at(-1)?.viewers === 2);
    first.close();
    await first.closed;
    other.close();
    await host.wait(() => host.of('room.viewers').at(-1)?.viewers === 1);
    expect(scene.node.rooms.find(scene.stream)?.viewers).toBe(1);
    second.close();
    host.close();
  });

  test('who watches elsewhere counts, as the edge tells, and nobody here is forgotten', async () => {
    const host = await scene.performer();
    const viewer = await scene.viewer();
    const seen = () => host.of('room.viewers').at(-1)?.viewers;
    await host.wait(() => seen() === 1);
    scene.edge.audiences.set(scene.stream, 40);
    await host.wait(() => seen() === 40);
    const late = await scene.viewer();
    expect(scene.room.audience).toBe(40);
    // What is reported is who is here: the edge would count its own word otherwise.
    expect(scene.room.report.viewers).toBe(2);
    scene.edge.audiences.set(scene.stream, 0);
    await host.wait(() => seen() === 2);
    for (const client of [host, viewer, late]) client.close();
  });

  test('is told to Redis, each person once and by a hash, and taken back when they have left', async () => {
    const sub = randomUUID();
    const windows = [await scene.viewer(sub), await scene.viewer(sub), await scene.performer()];
    const members = async () => {
      const keys = await scene.redis.zrangebyscore(audiencePartsKey, '-inf', '+inf');
      const key = keys.find((each) => audiencePartOf(each)?.streamId === scene.stream);
      return key ? scene.redis.smembers(key) : null;
    };
    const told = { interval: 20, timeout: 2 * audienceBeatMs };
    const hash = createHmac('sha256', testNodeSecret).update(`${scene.stream}:${sub}`).digest();
    // As every node and every HLS origin names them.
    const name = hash.subarray(0, 12).toString('base64url');
    await vi.waitFor(async () => expect(await members()).toEqual([name]), told);
    for (const client of windows) client.close();
    await vi.waitFor(async () => expect(await members()).toBeNull(), told);
  });

  test('a socket that does not keep up is closed, and the others hear everything', async () => {
    const slow = await scene.viewer();
    const quick = await scene.viewer();
    const events = 12_000;
    slow.pause();
    for (let id = 1; id <= events; id += 1) {
      scene.node.rooms
        .find(scene.stream)
        ?.deliver(chatEvent(scene.stream, id, 'x'.repeat(chatMessageCharsMax)));
      // Let the sockets breathe, as they do between messages of Redis.
      if (id % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await quick.wait((frame) => frame.type === 'room.event' && frame.event.id === events);
    slow.resume();
    // Told why, unless it does not even read that in time and is cut off.
    expect(['too-slow', 1006]).toContain(await slow.closed);
    expect(slow.of('room.event').length).toBeLessThan(events);
    expect(quick.of('room.event')).toHaveLength(events);
    quick.close();
  });

  test('a room without sockets is forgotten', async () => {
    const guest = await scene.viewer();
    expect(scene.node.rooms.find(scene.stream)).not.toBeNull();
    const emptied = new Promise((resolve) =>
      scene.node.rooms.find(scene.stream)?.once('empty', () => resolve(0)),
    );
    guest.close();
    await emptied;
    expect(scene.node.rooms.find(scene.stream)).toBeNull();
  });
});
