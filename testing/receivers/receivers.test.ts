// Tests of the receivers against a real media worker: that they count what comes, and what does not.
import { createWorker } from 'mediasoup';
import type { Producer, Router, Transport, WebRtcTransport, Worker } from 'mediasoup/types';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mediaCodecs } from '../../sfu-cluster/media/codecs.ts';
import { h264Parameters, opusParameters } from '../../sfu-cluster/testing/rtp-source.ts';
import { mediaWorkerBin } from '../../sfu-cluster/testing/worker-bin.ts';
import { dtlsParametersOf, receiverRtpCapabilities, serverSideOf } from './mediasoup-side.ts';
import { audioSsrc, openPlainSource, type PlainSource, videoSsrc } from './plain-source.ts';
import { monotonicMs, type Receiver, Receivers, type SrtpSuite } from './receivers.ts';

const suites: SrtpSuite[] = ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'];
const listenInfo = { protocol: 'udp' as const, ip: '127.0.0.1' };
const bitrateBps = 1_500_000;
/** Media takes its time, and a busy machine more. */
const patient = { timeout: 10_000 };

let worker: Worker;
let router: Router;
let receivers: Receivers;
const sources: PlainSource[] = [];

beforeAll(async () => {
  const workerBin = mediaWorkerBin();
  worker = await createWorker({ logLevel: 'none', ...(workerBin ? { workerBin } : {}) });
});

beforeEach(async () => {
  router = await worker.createRouter({ mediaCodecs });
  receivers = await Receivers.start('AEAD_AES_128_GCM');
});

afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.close()));
  await receivers.close();
  router.close();
});

afterAll(() => worker.close());

async function openTransport(): Promise<WebRtcTransport> {
  const transport = await router.createWebRtcTransport({ listenInfos: [listenInfo] });
  await transport.connect({ dtlsParameters: dtlsParametersOf(receivers) });
  return transport;
}

async function publish(transport: Transport): Promise<{ audio: Producer; video: Producer }> {
  const [audio, video] = await Promise.all([
    transport.produce({ kind: 'audio', rtpParameters: opusParameters(audioSsrc) }),
    transport.produce({ kind: 'video', rtpParameters: h264Parameters([videoSsrc]) }),
  ]);
  return { audio, video };
}

async function openSource(port: number, dropEvery?: number): Promise<PlainSource> {
  const ports = { audioPort: port, videoPort: port };
  const source = await openPlainSource({ ...ports, ...(dropEvery ? { dropEvery } : {}) });
  sources.push(source);
  return source;
}

/** A picture and a sound that come to the router as plain packets. */
async function openPlain(dropEvery?: number) {
  const plain = await router.createPlainTransport({ listenInfo, comedia: true });
  return { ...(await publish(plain)), source: await openSource(plain.tuple.localPort, dropEvery) };
}

/** A connected receiver of that track alone. */
async function receive({ id: producerId }: Producer) {
  const transport = await openTransport();
  const receiver = receivers.add(serverSideOf(transport));
  const rtpCapabilities = receiverRtpCapabilities;
  const consumer = await transport.consume({ producerId, rtpCapabilities });
  await receiver.connected();
  return { transport, receiver, consumer, ssrc: consumer.rtpParameters.encodings?.[0]?.ssrc ?? 0 };
}

async function packetsOf(receiver: Receiver): Promise<number> {
  const [stream] = await receiver.streams();
  return stream?.packets ?? 0;
}

describe('receivers', () => {
  test.each(suites)('count every packet of every track, secured by %s', async (suite) => {
    await receivers.close();
    receivers = await Receivers.start(suite);
    const { audio, video, source } = await openPlain();
    const hearing = await Promise.all([receive(audio), receive(audio)]);
    const seeing = await Promise.all([receive(video), receive(video)]);
    source.start(bitrateBps);
    await expect.poll(() => source.sent.video, patient).toBeGreaterThan(150);
    source.stop();
    for (const { receiver } of hearing) {
      await expect.poll(() => packetsOf(receiver), patient).toBe(source.sent.audio);
    }
    for (const { receiver, ssrc } of seeing) {
      await expect.poll(() => packetsOf(receiver), patient).toBe(source.sent.video);
      expect(await receiver.streams()).toMatchObject([{ ssrc, gaps: 0 }]);
    }
    const packets = 2 * (source.sent.audio + source.sent.video);
    expect(await receivers.count()).toMatchObject({ connected: 4, packets, gaps: 0, refused: 0 });
  });

  test('see a gap for every tenth packet that was lost, and report it to the server', async () => {
    const { video, source } = await openPlain(10);
    const { receiver, consumer } = await receive(video);
    source.start(bitrateBps);
    await expect.poll(() => source.sent.video, patient).toBeGreaterThan(270);
    await expect
      .poll(async () => {
        const stats = [...(await consumer.getStats()).values()];
        return stats.some((one) => one.type === 'outbound-rtp' && one.packetsLost > 10);
      }, patient)
      .toBe(true);
    source.stop();
    await expect.poll(() => packetsOf(receiver), patient).toBe(source.sent.video);
    // Nine come and one does not; one behind the last that has come is no gap yet.
    const gaps = Math.floor((source.sent.video - 1) / 9);
    expect(await receiver.streams()).toMatchObject([{ packets: source.sent.video, gaps }]);
    expect(await receivers.count()).toMatchObject({ gaps });
  });

  test('tell when they were connected and when the first packet came', async () => {
    const { audio, source } = await openPlain();
    const { receiver, ssrc } = await receive(audio);
    source.start(bitrateBps);
    expect(await receiver.firstPacket(ssrc)).toBeGreaterThan(await receiver.connected());
  });

  test('tell when a stream flowed, and when nothing came', async () => {
    const { video, source } = await openPlain();
    const { transport, receiver, ssrc } = await receive(video);
    source.start(bitrateBps);
    const fromMs = await receiver.firstPacket(ssrc);
    await expect.poll(() => source.sent.video, patient).toBeGreaterThan(150);
    source.stop();
    await expect.poll(() => packetsOf(receiver), patient).toBe(source.sent.video);
    const silentFromMs = monotonicMs();
    await expect.poll(() => monotonicMs() - silentFromMs, patient).toBeGreaterThan(200);
    source.start(bitrateBps);
    await expect.poll(async () => (await receiver.spells(ssrc)).length, patient).toBe(2);
    const aliveAtMs = monotonicMs();
    transport.close();
    expect(await receiver.failed).toBe('the server has closed');
    const [before, after] = await receiver.spells(ssrc);
    expect(before?.fromMs).toBe(fromMs);
    expect(before?.toMs).toBeLessThan(silentFromMs);
    expect(after?.fromMs).toBeGreaterThan(silentFromMs + 200);
    expect(after?.toMs).toBeGreaterThan(aliveAtMs - 100);
  });

  test('publish what they are fed, and hand on what the server asks of it', async () => {
    const transport = await openTransport();
    const publisher = receivers.add(serverSideOf(transport));
    await publisher.connected();
    const { video } = await publish(transport);
    const source = await openSource(await publisher.feed());
    source.start(bitrateBps);
    // The first keyframe is over by now: the picture begins with one that the server has asked for.
    await expect.poll(() => source.sent.video, patient).toBeGreaterThan(10);
    const { receiver, ssrc } = await receive(video);
    await receiver.firstPacket(ssrc);
    await expect.poll(() => packetsOf(receiver), patient).toBeGreaterThan(100);
    expect(await receiver.streams()).toMatchObject([{ ssrc, gaps: 0 }]);
  });

  test('refuse a server with another certificate than the one that was told', async () => {
    const transport = await openTransport();
    const server = serverSideOf(transport);
    const fingerprint = server.fingerprint.replace(/^../, (byte) => (byte === '00' ? '01' : '00'));
    const receiver = receivers.add({ ...server, fingerprint });
    await expect(receiver.connected()).rejects.toThrow('the certificate is another one');
  });

  test('notice that the server has closed, and the others go on', async () => {
    const { audio, source } = await openPlain();
    const [leaving, staying] = await Promise.all([receive(audio), receive(audio)]);
    leaving.transport.close();
    await expect.poll(() => receivers.failures, patient).toEqual(['the server has closed']);
    await expect(leaving.receiver.firstPacket(leaving.ssrc)).rejects.toThrow('has closed');
    source.start(bitrateBps);
    await staying.receiver.firstPacket(staying.ssrc);
    expect(await receivers.count()).toMatchObject({ connected: 1 });
  });
});
