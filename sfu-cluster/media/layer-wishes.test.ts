// Tests of what viewers' wishes for layers cost the publisher.
import { setImmediate } from 'node:timers/promises';
import { beforeEach, expect, test, vi } from 'vitest';
import { assert } from '#contract';
import type { RoomClient } from '../testing/room-client.ts';
import { publishRtp, type RtpSource } from '../testing/rtp-source.ts';
import { useScene } from '../testing/scene.ts';
import { tapRtpCapabilities } from './codecs.ts';
import { keyframeIntervalMinMs } from './keyframe-governor.ts';

const scene = useScene();
const layers = 3;
/** How often the publisher has been asked by the end of the storm. */
const turnsSeen = 8;
let keeper: RoomClient;
let source: RtpSource;

beforeEach(async () => {
  keeper = await scene.join();
  source = await publishRtp(scene.room, layers);
  return () => {
    source.close();
    keeper.close();
  };
});

/** So many viewers of the picture, to whom it flows. */
async function watchers(count: number) {
  const media = await scene.room.media();
  const { picture } = media;
  assert(picture, 'there is a picture');
  // Where nobody listens, so without the congestion control that their lines would share.
  const plain = await media.openTapTransport('127.0.0.1', '127.0.0.1', 9);
  const consumers = await Promise.all(
    Array.from({ length: count }, () => media.viewing.consume(plain, picture, tapRtpCapabilities)),
  );
  // What the transport of a browser is once its handshake is over.
  const connected = Object.defineProperty(await media.openViewerTransport(), 'dtlsState', {
    value: 'connected',
  });
  const playable = consumers.filter((consumer) => consumer !== null);
  for (const consumer of playable) await media.viewing.resume(connected, consumer);
  const current = () => playable.map((consumer) => consumer.currentLayers?.spatialLayer);
  await expect.poll(() => new Set(current()), { timeout: 5_000 }).toEqual(new Set([layers - 1]));
  return { media, consumers: playable, current };
}

test('a hundred windows that are resized without end ask the publisher no oftener than the governor lets them', async () => {
  const { media, consumers, current } = await watchers(100);
  const told = consumers.map((consumer) => vi.spyOn(consumer, 'setPreferredLayers'));
  const [before, beganAtMs] = [source.keyframeRequests, performance.now()];
  let turn = 0;
  while (source.keyframeRequests - before < turnsSeen * layers) {
    turn += 1;
    const wishes = consumers.map((consumer, index) =>
      media.viewing.prefer(consumer, { spatialLayer: (turn + index) % layers, temporalLayer: 3 }),
    );
    await Promise.all(wishes);
    await setImmediate();
  }
  const last = consumers.map((_, index) => (turn + index) % layers);
  await expect.poll(current, { timeout: 5_000 }).toEqual(last);
  const turnsMax = Math.ceil((performance.now() - beganAtMs) / keyframeIntervalMinMs + 1);
  // Each turn asks for one keyframe of each layer, which the publisher makes together.
  expect(source.keyframeRequests - before).toBeLessThanOrEqual(turnsMax * layers);
  // What was wished in between the worker never hears of.
  expect(turn).toBeGreaterThan(10 * turnsMax);
  expect(Math.max(...told.map(({ mock }) => mock.calls.length))).toBeLessThanOrEqual(turnsMax);
});

test('the same wish again asks for nothing', async () => {
  const { media, consumers, current } = await watchers(1);
  const [consumer] = consumers;
  assert(consumer, 'somebody watches');
  const atFirst = media.viewing.keyframes.wanted;
  // Who has no wish gets the largest layer.
  for (const layer of [layers - 1, layers]) {
    await media.viewing.prefer(consumer, { spatialLayer: layer, temporalLayer: 3 });
  }
  expect(media.viewing.keyframes.wanted).toBe(atFirst);
  await media.viewing.prefer(consumer, { spatialLayer: 0, temporalLayer: 3 });
  await expect.poll(current).toEqual([0]);
  const { wanted } = media.viewing.keyframes;
  for (let turn = 0; turn < 10; turn += 1) {
    await media.viewing.prefer(consumer, { spatialLayer: 0, temporalLayer: 3 });
  }
  expect(media.viewing.keyframes.wanted).toBe(wanted);
});
