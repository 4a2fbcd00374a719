// Tests of how well viewers see, over real sockets and a real way for media: what they tell, and what the node measures.
import { afterEach, expect, test } from 'vitest';
import {
  dtlsParametersOf,
  receiverRtpCapabilities,
  serverSideOf,
} from '../../testing/receivers/mediasoup-side.ts';
import { Receivers } from '../../testing/receivers/receivers.ts';
import { publishRtp } from '../testing/rtp-source.ts';
import { useScene } from '../testing/scene.ts';
import { readSeries } from '../testing/series.ts';

const scene = useScene();
const series = () => readSeries(scene.node.httpUrl);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const firstPicture = {
  ...{ spanMs: 0, joinMs: 400, roundTripMs: 20, bytesReceived: 0, packetsReceived: 0 },
  ...{ packetsLost: 0, freezes: 0, frozenMs: 0, pictureHeight: 720, decoder: 'unknown' as const },
};

test('viewers report, whoever does not watch may not, and nonsense is refused at the door', async () => {
  const viewer = await scene.viewer();
  const performer = await scene.performer();
  closing.push(
    () => viewer.close(),
    () => performer.close(),
  );
  expect(await viewer.request('quality.report', firstPicture)).toEqual({});
  await expect(performer.request('quality.report', firstPicture)).rejects.toThrow('forbidden');
  const nonsense = { ...firstPicture, packetsLost: -1 };
  await expect(viewer.request('quality.report', nonsense)).rejects.toThrow('malformed-frame');
  const wish = { ...firstPicture, joinMs: null, frozenMs: 1 };
  await expect(viewer.request('quality.report', wish)).rejects.toThrow('malformed-frame');
  const now = await series();
  expect(now.valueOf('livepanty_sfu_viewer_join_seconds_count')).toBe(1);
  expect(now.valueOf('livepanty_sfu_quality_reports_total', { outcome: 'untrue' })).toBe(1);
});

test('the node measures the way to those who are shown a picture', async () => {
  const receivers = await Receivers.start('AEAD_AES_128_GCM');
  const viewer = await scene.viewer();
  const source = await publishRtp(scene.room, 1);
  closing.push(
    () => source.close(),
    () => viewer.close(),
    () => receivers.close(),
  );
  const transport = await viewer.request('transport.create', { direction: 'receive' });
  const { transportId } = transport;
  const rtpCapabilities = { ...receiverRtpCapabilities };
  const { consumers } = await viewer.request('consume', { transportId, rtpCapabilities });
  const dtlsParameters = { ...dtlsParametersOf(receivers) };
  await viewer.request('transport.connect', { transportId, dtlsParameters });
  await receivers.add(serverSideOf(transport)).connected();
  const consumerIds = consumers.map(({ consumerId }) => consumerId);
  await viewer.request('consumer.resume', { consumerIds });
  const measured = async (what: string, labels = {}) =>
    (await series()).valueOf(`livepanty_sfu_viewer_${what}_count`, labels);
  await expect.poll(() => measured('score'), { timeout: 15_000 }).toBeGreaterThan(0);
  const byNode = { measured_by: 'node' };
  expect(await measured('loss_ratio', byNode)).toBeGreaterThan(0);
  expect(await measured('bitrate_bps', byNode)).toBeGreaterThan(0);
  // The receivers tell no times, of which a round trip could be known: that is no round trip of zero.
  expect(await measured('rtt_seconds', byNode)).toBe(0);
  const ownWorker = { worker: '0' };
  expect((await series()).valueOf('livepanty_sfu_worker_consumers', ownWorker)).toBe(2);
  expect((await series()).valueOf('livepanty_sfu_worker_viewers', ownWorker)).toBe(1);
});
