// Tests of WHIP with encoders that are not ours: the WebRTC library of OBS, and a GStreamer program of Debian.
import { afterEach, describe, expect, test } from 'vitest';
import { findGstreamerEncoder, startGstreamerEncoder } from '../../testing/gstreamer-encoder.ts';
import { iceConsentTimeoutSeconds, silenceMsMax } from '../media/liveness.ts';
import { type ObsEncoder, type ObsLayer, spsOf, startObsEncoder } from '../testing/obs-encoder.ts';
import { useScene } from '../testing/scene.ts';

const scene = useScene();
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const endpoint = () => `${scene.node.httpUrl}/whip`;
const ticket = () => scene.edge.ticket({ stream: scene.stream, capabilities: ['publish'] });

const report = () => scene.node.rooms.find(scene.stream)?.report;
/** Packets of each layer of the picture, by its name. */
async function layersFlowing(): Promise<Record<string, number>> {
  const stats = (await (await scene.room.media()).picture?.producer.getStats()) ?? [];
  return Object.fromEntries(stats.map(({ rid = '', packetCount }) => [rid, packetCount]));
}

describe('the WebRTC library of OBS', () => {
  async function start(layers?: ObsLayer[]): Promise<ObsEncoder> {
    const encoder = await startObsEncoder(endpoint(), await ticket(), layers);
    open.push(encoder);
    return encoder;
  }

  test('publishes H264 and Opus, and takes its leave by DELETE', async () => {
    const encoder = await start();
    expect(encoder.status).toBe(201);
    await encoder.until('connected');
    expect(report()).toMatchObject({ publishing: true, videoCodec: 'H264', viewers: 0 });
    await expect.poll(async () => (await layersFlowing())['']).toBeGreaterThan(10);
    // OBS takes any other status for a failure.
    expect(await encoder.end()).toBe(200);
    expect(scene.node.rooms.find(scene.stream)).toBeNull();
    expect(await encoder.end()).toBe(404);
  });

  test('publishes layers, which it lists from the best down, so that the smallest is layer 0', async () => {
    const encoder = await start([
      { rid: '0', sps: spsOf(80, 45) },
      { rid: '1', sps: spsOf(40, 22) },
      { rid: '2', sps: spsOf(20, 11) },
    ]);
    await encoder.until('connected');
    await expect.poll(() => report()?.videoCodec).toBe('H264');
    const { picture } = await scene.room.media();
    const names = picture?.producer.rtpParameters.encodings?.map(({ rid }) => rid);
    expect(names).toEqual(['2', '1', '0']);
    expect(picture?.sizes.map(({ width }) => width)).toEqual([320, 640, 1280]);
    await expect
      .poll(async () => Object.values(await layersFlowing()).filter((count) => count > 10))
      .toHaveLength(3);
  });

  test('hears that its stream is over, and within two seconds', async () => {
    const encoder = await start();
    await encoder.until('connected');
    const endedAtMs = performance.now();
    scene.node.rooms.end(scene.stream);
    await encoder.until('closed');
    expect(performance.now() - endedAtMs).toBeLessThan(2_000);
  });
});

const gstreamer = findGstreamerEncoder();
if (!gstreamer) console.warn('left out: the set-up has no GStreamer encoder for this system');

describe.runIf(gstreamer !== null)('a GStreamer program', () => {
  test('that never asks for consent publishes on, and is missed soon after it has fallen silent', async () => {
    const wish = { url: endpoint(), token: await ticket(), codec: 'VP8' } as const;
    const encoder = startGstreamerEncoder(gstreamer ?? '', wish);
    open.push(encoder);
    await expect.poll(() => report()?.publishing, { timeout: 15_000 }).toBe(true);
    // The picture may be there before the sound.
    const packets = async () => {
      const { sound } = await scene.room.media();
      return (await sound?.producer.getStats())?.[0]?.packetCount ?? 0;
    };
    // Fifty a second.
    const enough = 50 * (iceConsentTimeoutSeconds + 5);
    await expect.poll(packets, { timeout: 40_000, interval: 500 }).toBeGreaterThan(enough);
    encoder.freeze();
    await expect
      .poll(() => scene.node.rooms.find(scene.stream), { timeout: 2 * silenceMsMax + 2_000 })
      .toBeNull();
  }, 90_000);

  test.each(['VP8', 'H264'] as const)(
    'publishes %s and Opus, trickles its candidates, and takes its leave by DELETE',
    async (codec) => {
      const wish = { url: endpoint(), token: await ticket(), codec };
      const encoder = startGstreamerEncoder(gstreamer ?? '', wish);
      open.push(encoder);
      await expect
        .poll(report, { timeout: 15_000 })
        .toMatchObject({ publishing: true, videoCodec: codec });
      await expect
        .poll(async () => (await layersFlowing())[''], { timeout: 10_000 })
        .toBeGreaterThan(20);
      expect(encoder.said()).toContain('PeerConnection connected');
      expect(encoder.said()).not.toContain('WARN');
      await encoder.end();
      await expect.poll(() => scene.node.rooms.find(scene.stream)).toBeNull();
    },
    30_000,
  );
});
