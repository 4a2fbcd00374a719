// Tests of arrivals: whoever comes from another node is shown by their copy from there until their own media flows.
import { beforeEach, expect, test } from 'vitest';
import type { RoomClient } from '../testing/room-client.ts';
import { h264Parameters, opusParameters, publishRtp, testHost } from '../testing/rtp-source.ts';
import { freshSsrc, useScene } from '../testing/scene.ts';
import { keyframeIntervalMinMs } from './keyframe-governor.ts';

const scene = useScene();
let keeper: RoomClient;

beforeEach(async () => {
  keeper = await scene.join();
  return () => keeper.close();
});

/** What an inflow brings of somebody who publishes on another node. */
async function bringCopies() {
  const media = await scene.room.media();
  const transport = await media.home.router.createDirectTransport();
  const copy = { owner: testHost, isOurs: false } as const;
  const sound = await media.publish(transport, {
    ...{ ...copy, kind: 'audio', source: 'microphone' },
    rtpParameters: opusParameters(freshSsrc()),
  });
  const picture = await media.publish(transport, {
    ...{ ...copy, kind: 'video', source: 'camera' },
    rtpParameters: h264Parameters([freshSsrc()]),
  });
  return { media, sound, picture };
}

test('a picture takes the place of its copy when viewers can begin with it at once', async () => {
  const { media, picture, sound } = await bringCopies();
  const beganAtMs = performance.now();
  const source = await publishRtp(scene.room, 1);
  expect(media.picture?.producer.id).toBe(picture.id);
  expect(media.isHostedHere).toBe(media.sound?.isOurs);
  await expect.poll(() => media.sound?.producer.id).toBe(source.audio?.id);
  expect(sound.closed).toBe(true);
  await expect.poll(() => media.picture?.producer.id).toBe(source.video?.id);
  expect(performance.now() - beganAtMs).toBeGreaterThan(keyframeIntervalMinMs);
  expect(picture.closed).toBe(true);
  expect(media.isArriving).toBe(false);
  source.close();
});

test('when the copy ends there is nothing to wait for', async () => {
  const { media, sound } = await bringCopies();
  const transport = await media.openPublisherTransport();
  const track = { owner: testHost, kind: 'audio', source: 'microphone' } as const;
  const rtpParameters = opusParameters(freshSsrc());
  const own = await media.publish(transport, { ...track, rtpParameters });
  expect(media.sound?.producer.id).toBe(sound.id);
  await expect(media.publish(transport, { ...track, rtpParameters })).rejects.toMatchObject({
    code: 'already-published',
  });
  sound.close();
  expect(media.sound?.producer.id).toBe(own.id);
});

test('whoever leaves before anything came has changed nothing', async () => {
  const { media, sound } = await bringCopies();
  const transport = await media.openPublisherTransport();
  const track = { owner: testHost, kind: 'audio', source: 'microphone' } as const;
  await media.publish(transport, { ...track, rtpParameters: opusParameters(freshSsrc()) });
  expect(media.isArriving).toBe(true);
  transport.close();
  expect(media.isArriving).toBe(false);
  expect(media.sound?.producer.id).toBe(sound.id);
});
