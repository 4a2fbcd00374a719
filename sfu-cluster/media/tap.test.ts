// Tests of taps and of the keyframe governor, on real RTP through a real worker.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RoomClient } from '../testing/room-client.ts';
import { publishRtp, type RtpSource } from '../testing/rtp-source.ts';
import { useScene } from '../testing/scene.ts';
import { keyframeAwaitedMs } from './keyframe-governor.ts';

const scene = useScene({
  env: {
    SFU_TAP_ALLOWED_ADDRESSES: '10.7.0.0/16',
    CLIENT_ADDRESS_HEADER: 'X-Real-IP',
    TRUSTED_PROXIES: '127.0.0.1,::1',
  },
});
let ports: Port[];
let source: RtpSource | null;

/** A UDP port that counts what arrives, RTP apart from RTCP. */
interface Port {
  number: number;
  socket: Socket;
  packets: Rtp[];
}

interface Rtp {
  payloadType: number;
  ssrc: number;
  payload: Buffer;
}

beforeEach(async () => {
  source = null;
  ports = await Promise.all([openPort(), openPort(), openPort(), openPort()]);
});

afterEach(() => {
  source?.close();
  for (const port of ports) port.socket.close();
});

async function openPort(): Promise<Port> {
  const socket = createSocket('udp4');
  const port: Port = { number: 0, socket, packets: [] };
  socket.on('message', (packet) => {
    const payloadType = packet.readUInt8(1) & 0x7f;
    if (payloadType >= 64 && payloadType <= 95) return;
    const hasExtension = (packet.readUInt8(0) & 0x10) !== 0;
    const payloadAt = hasExtension ? 16 + 4 * packet.readUInt16BE(14) : 12;
    const ssrc = packet.readUInt32BE(8);
    port.packets.push({ payloadType, ssrc, payload: packet.subarray(payloadAt) });
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  port.number = socket.address().port;
  return port;
}

/** Whether a packet opens a keyframe: a sequence parameter set. */
function isKeyframe(packet: Rtp): boolean {
  return ((packet.payload[0] ?? 0) & 0x1f) === 7;
}

/** Asks for the sound on the first port and the picture on the others. */
function open(client: RoomClient, videoPorts: number) {
  const [audio, ...video] = ports.map((port) => port.number);
  return client.request('tap.open', {
    address: '127.0.0.1',
    audioPort: audio ?? 0,
    videoPorts: video.slice(0, videoPorts),
  });
}

/** Waits for packets on a port; gives the layers that its pictures came from. */
async function layersOn(port: Port | undefined): Promise<number[]> {
  await expect.poll(() => port?.packets.length, { timeout: 5_000 }).toBeGreaterThan(10);
  return [...new Set(port?.packets.map((packet) => packet.payload[1] ?? -1))];
}

describe('a tap', () => {
  test('sends the sound and each layer of the picture to its own port', async () => {
    const client = await scene.transcoder();
    source = await publishRtp(scene.room, 3);
    const { tracks } = await open(client, 3);
    expect(tracks).toHaveLength(4);
    const [audio, ...video] = ports;
    expect(tracks.find((track) => track.kind === 'audio')).toMatchObject({
      source: 'microphone',
      port: audio?.number,
      spatialLayer: null,
      mimeType: 'audio/opus',
      clockRate: 48_000,
      channels: 2,
    });
    for (const [layer, port] of video.entries()) {
      const track = tracks.find((candidate) => candidate.port === port.number);
      expect(track).toMatchObject({
        source: 'camera',
        spatialLayer: layer,
        mimeType: 'video/H264',
        parameters: { 'profile-level-id': '42e01f', 'packetization-mode': 1 },
      });
      expect(await layersOn(port)).toEqual([layer]);
      const [first] = port.packets;
      expect(first).toMatchObject({ ssrc: track?.ssrc, payloadType: track?.payloadType });
      // What a decoder is given starts with a keyframe.
      expect(first && isKeyframe(first)).toBe(true);
    }
    await expect.poll(() => audio?.packets.length).toBeGreaterThan(10);
    client.close();
  });

  test('takes the highest layers where there are fewer ports', async () => {
    const client = await scene.transcoder();
    source = await publishRtp(scene.room, 3);
    const one = await open(client, 1);
    expect(one.tracks.map((track) => track.spatialLayer)).toEqual(
      expect.arrayContaining([null, 2]),
    );
    expect(await layersOn(ports[1])).toEqual([2]);
    const two = await open(client, 2);
    expect(two.tracks.filter((track) => track.kind === 'video').map((t) => t.spatialLayer)).toEqual(
      expect.arrayContaining([1, 2]),
    );
    client.close();
  });

  test('takes what there is where there are fewer layers', async () => {
    const client = await scene.transcoder();
    expect((await open(client, 3)).tracks).toEqual([]);
    source = await publishRtp(scene.room, 1);
    await client.wait(() => client.of('room.media').at(-1)?.sources.length === 2);
    const { tracks } = await open(client, 3);
    expect(tracks.filter((track) => track.kind === 'video')).toMatchObject([
      { port: ports[1]?.number, spatialLayer: 0 },
    ]);
    expect(await layersOn(ports[1])).toEqual([0]);
    client.close();
  });

  test('is told when its tracks end, and can be opened again for new ones', async () => {
    const client = await scene.transcoder();
    source = await publishRtp(scene.room, 2);
    await open(client, 2);
    await layersOn(ports[1]);
    source.close();
    await client.wait(() => client.of('consumer.closed').length === 3);
    await client.wait(() => client.of('room.media').at(-1)?.sources.length === 0);
    for (const port of ports) port.packets.length = 0;
    source = await publishRtp(scene.room, 2);
    await open(client, 2);
    expect(await layersOn(ports[1])).toEqual([0]);
    expect(await layersOn(ports[2])).toEqual([1]);
    client.close();
  });

  test('leaves nothing behind when its socket closes', async () => {
    const keeper = await scene.join();
    const client = await scene.transcoder();
    source = await publishRtp(scene.room, 3);
    const { router } = (await scene.room.media()).home;
    await open(client, 3);
    expect((await router.dump()).transportIds).toHaveLength(5);
    client.cut();
    await expect.poll(async () => (await router.dump()).transportIds.length).toBe(1);
    keeper.close();
  });

  test('is sent to the address that its socket comes from, and to no other', async () => {
    const client = await scene.transcoder();
    const aim = (address: string) =>
      client.request('tap.open', { address, audioPort: 9, videoPorts: [10] });
    for (const address of ['203.0.113.5', '169.254.169.254', '0.0.0.0', '255.255.255.255', '::']) {
      await expect(aim(address)).rejects.toMatchObject({ code: 'forbidden' });
    }
    expect((await aim('127.0.0.1')).tracks).toEqual([]);
    // The operator allows the network of the transcoders, and the proxy says who came.
    expect((await aim('10.7.0.9')).tracks).toEqual([]);
    client.close();
  });

  test('from behind a proxy is sent to the address that the proxy names', async () => {
    const ticket = await scene.edge.ticket({ stream: scene.stream, aud: 'node' });
    const headers = { 'x-real-ip': '203.0.113.5' };
    const client = await RoomClient.join(scene.node.socketUrl, ticket, { headers });
    const aim = (address: string) =>
      client.request('tap.open', { address, audioPort: 9, videoPorts: [10] });
    expect((await aim('203.0.113.5')).tracks).toEqual([]);
    await expect(aim('203.0.113.6')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(aim('127.0.0.1')).rejects.toMatchObject({ code: 'forbidden' });
    client.close();
  });

  test('refuses what is no address, and a keyframe before it is open', async () => {
    const client = await scene.transcoder();
    await expect(
      client.request('tap.open', { address: 'example.test', audioPort: 9, videoPorts: [10] }),
    ).rejects.toMatchObject({ code: 'malformed-frame' });
    await expect(client.request('tap.keyframe', {})).rejects.toMatchObject({
      code: 'out-of-order',
    });
    await expect(
      client.request('transport.create', { direction: 'receive' }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    client.close();
  });
});

describe('the keyframe governor', () => {
  test('however many ask within a moment, the publisher is asked once, and once more for the late', async () => {
    const client = await scene.transcoder();
    source = await publishRtp(scene.room, 1);
    await open(client, 1);
    await layersOn(ports[1]);
    await settled(source);
    const before = source.keyframeRequests;
    await Promise.all(Array.from({ length: 30 }, () => client.request('tap.keyframe', {})));
    await settled(source);
    const asked = source.keyframeRequests - before;
    expect(asked).toBeGreaterThanOrEqual(1);
    expect(asked).toBeLessThanOrEqual(2);
    client.close();
  });

  test('a keyframe asked for reaches every tapped layer', async () => {
    const client = await scene.transcoder();
    source = await publishRtp(scene.room, 3);
    await open(client, 3);
    await Promise.all(ports.slice(1).map(layersOn));
    await settled(source);
    for (const port of ports) port.packets.length = 0;
    await client.request('tap.keyframe', {});
    for (const port of ports.slice(1)) {
      await expect.poll(() => port.packets.some(isKeyframe)).toBe(true);
    }
    client.close();
  });

  /** Waits until no request is being held back: two intervals without a new one. */
  async function settled(rtp: RtpSource): Promise<void> {
    let seen = -1;
    await expect
      .poll(
        () => {
          const quiet = seen === rtp.keyframeRequests;
          seen = rtp.keyframeRequests;
          return quiet;
        },
        { interval: 2 * keyframeAwaitedMs, timeout: 10_000 },
      )
      .toBe(true);
  }
});
