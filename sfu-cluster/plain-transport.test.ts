// Publishing without WebRTC: encrypted RTP from whoever has the key, for those who may publish.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { describe, expect, test } from 'vitest';
import type { MediaKind } from '#contract';
import type { RoomClient } from './testing/room-client.ts';
import { h264Parameters, opusParameters } from './testing/rtp-source.ts';
import { freshSsrc, useScene } from './testing/scene.ts';
import { startTestNode } from './testing/test-node.ts';

const scene = useScene();

const newKey = () => ({
  cryptoSuite: 'AES_CM_128_HMAC_SHA1_80',
  keyBase64: randomBytes(30).toString('base64'),
});
const open = (client: RoomClient, kind: MediaKind) =>
  client.request('transport.plain', { kind, srtpParameters: newKey() });

async function publishSound(client: RoomClient, transportId: string): Promise<string> {
  const rtpParameters = opusParameters(freshSsrc());
  const track = { transportId, kind: 'audio', source: 'microphone', rtpParameters } as const;
  return (await client.request('produce', track)).producerId;
}

test('a track is published on it, and ends with the socket', async () => {
  const host = await scene.performer();
  const { transportId, port, rtcpPort, address } = await open(host, 'audio');
  expect(address).toBe('127.0.0.1');
  expect(rtcpPort).not.toBe(port);
  await publishSound(host, transportId);
  expect(scene.room.report).toMatchObject({ publishing: true });
  const viewer = await scene.viewer();
  host.close();
  await expect.poll(() => scene.room.sources).toEqual([]);
  viewer.close();
});

test('packets without the key are not heard', async () => {
  const host = await scene.performer();
  const { transportId, port } = await open(host, 'video');
  const ssrc = freshSsrc();
  const rtpParameters = h264Parameters([ssrc]);
  const track = { transportId, kind: 'video', source: 'camera', rtpParameters } as const;
  await host.request('produce', track);
  const packet = Buffer.concat([
    Buffer.from([0x80, 109, 0, 1, 0, 0, 0, 0]),
    Buffer.alloc(64, 0x67),
  ]);
  packet.writeUInt32BE(ssrc, 8);
  const socket = createSocket('udp4');
  for (let n = 0; n < 20; n += 1) {
    packet.writeUInt16BE(n, 2);
    await new Promise((sent) => socket.send(packet, port, '127.0.0.1', sent));
  }
  // What was sent before this answer has been looked at.
  await host.request('ping', {});
  const { picture } = await scene.room.media();
  expect(await picture?.producer.getStats()).toEqual([]);
  expect(picture?.producer.score).toEqual([]);
  socket.close();
  host.close();
});

test('a second one for the same kind takes the place of the first, and what was published on it ends', async () => {
  const host = await scene.performer();
  const first = await open(host, 'audio');
  const producerId = await publishSound(host, first.transportId);
  const second = await open(host, 'audio');
  await host.wait((frame) => frame.type === 'producer.closed' && frame.producerId === producerId);
  await publishSound(host, second.transportId);
  await expect(publishSound(host, first.transportId)).rejects.toThrow('not-found');
  expect(scene.room.sources).toEqual(['microphone']);
  host.close();
});

test('an address that is not this machine is our fault, not that of who asks', async () => {
  const { edge, redisUrl } = scene;
  const env = { SFU_PIPE_LISTEN_ADDRESS: '203.0.113.1' };
  const node = await startTestNode({ edgeUrl: edge.url, redisUrl, nodeId: 'sfu-elsewhere', env });
  const host = await scene.join({ capabilities: ['publish'] }, node);
  await expect(open(host, 'audio')).rejects.toMatchObject({ code: 'internal' });
  host.close();
  await node.close();
});

describe('is refused', () => {
  test('to those who may not publish', async () => {
    const viewer = await scene.viewer();
    await expect(open(viewer, 'audio')).rejects.toThrow('forbidden');
    viewer.close();
  });

  test('without a key that is one', async () => {
    const host = await scene.performer();
    for (const srtpParameters of [
      {},
      { ...newKey(), cryptoSuite: 'NULL' },
      { ...newKey(), keyBase64: 'AAAA' },
    ]) {
      const wish = { kind: 'audio', srtpParameters } as const;
      await expect(host.request('transport.plain', wish)).rejects.toThrow('malformed-frame');
    }
    host.close();
  });

  test('for a track of the other kind', async () => {
    const host = await scene.performer();
    const { transportId } = await open(host, 'video');
    await expect(publishSound(host, transportId)).rejects.toThrow('not-found');
    host.close();
  });

  test('to those who open too many', async () => {
    const host = await scene.performer();
    const asked = Array.from({ length: 40 }, () => open(host, 'audio'));
    const answers = await Promise.allSettled(asked);
    const refused = answers.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(10);
    host.close();
  });
});
