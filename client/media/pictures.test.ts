import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { ConsumerData, MediaSource } from '#contract';
import { hostPlace, outOfSightAfterMs } from '../models/viewing.ts';
import { anySizes } from '../testing/any-sizes.ts';
import { settled } from '../testing/manual-clock.ts';
import { createViewingScene } from '../testing/viewing-scene.ts';
import { createPictures, firstPictureMs, type Pictures } from './pictures.ts';
import type { RoomSocket } from './room-socket.ts';

/** What is asked of a picture. */
const Asked = z.object({
  consumerId: z.string().optional(),
  consumerIds: z.array(z.string()).optional(),
  spatialLayer: z.int().optional(),
});

let scene: ReturnType<typeof createViewingScene>;
let pictures: Pictures;
let changes: number;
/** By picture: the layer in which it is sent, or null while it is not sent. */
let sent: Record<string, number | null>;

beforeEach(() => {
  scene = createViewingScene();
  changes = 0;
  sent = {};
  const layers: Record<string, number> = {};
  const request: RoomSocket['request'] = async (type, fields) => {
    const { spatialLayer: layer, consumerId, consumerIds = [consumerId] } = Asked.parse(fields);
    const [id] = consumerIds;
    if (id === undefined) throw new Error('it is of a picture');
    if (layer !== undefined) layers[id] = layer;
    const isSent = type === 'consumer.resume' || (layer !== undefined && sent[id] !== null);
    sent[id] = isSent ? (layers[id] ?? 2) : null;
    return {} as never;
  };
  pictures = createPictures({
    socket: { request },
    viewing: scene.viewing,
    clock: scene.clock,
    onChange: () => {
      changes += 1;
    },
  });
});

function picture(id: string, who = 'host', source: MediaSource = 'camera'): ConsumerData {
  sent[id] = null;
  return {
    consumerId: id,
    producerId: `of ${id}`,
    kind: 'video',
    source,
    owner: { id: who, name: who, isHost: who === 'host' },
    rtpParameters: {},
    sizes: [...anySizes],
  };
}
const place = (who: string, width: number) =>
  scene.viewing.place(who, { width, height: (width * 9) / 16, fit: 'contain' });

test('each picture comes as large as it is shown, from the first on, and follows its place', async () => {
  place(hostPlace, 1_280);
  pictures.begin([picture('host'), picture('ann', 'ann')]);
  await settled();
  expect(sent).toEqual({ host: 2, ann: 0 });
  place('ann', 400);
  place(hostPlace, 200);
  await settled();
  expect(sent).toEqual({ host: 0, ann: 1 });
});

test('a picture whose sizes come later is asked for by them then, and whoever shows the choice hears of it', async () => {
  place(hostPlace, 300);
  pictures.begin([{ ...picture('host'), sizes: [] }]);
  await settled();
  expect(sent).toEqual({ host: 2 });
  const before = changes;
  pictures.resize('of host', anySizes);
  await settled();
  expect(sent).toEqual({ host: 0 });
  expect([changes, pictures.hostSizes]).toEqual([before + 1, anySizes]);
});

test('sizes that are told before the picture itself count, for its own are older', async () => {
  place(hostPlace, 300);
  pictures.resize('of host', anySizes);
  pictures.begin([{ ...picture('host'), sizes: [] }]);
  await settled();
  expect(sent).toEqual({ host: 0 });
});

test('of a page that is out of sight no picture is sent, and all are at once when it is back', async () => {
  const { clock, setHidden } = scene;
  place(hostPlace, 640);
  pictures.begin([picture('host'), picture('ann', 'ann')]);
  for (const id of ['host', 'ann']) pictures.begun(id);
  await clock.advance(firstPictureMs);
  setHidden(true);
  await clock.advance(outOfSightAfterMs);
  expect(sent).toEqual({ host: null, ann: null });
  expect(pictures.isAnyWanted).toBe(false);
  setHidden(false);
  await settled();
  expect(sent).toEqual({ host: 1, ann: 0 });
});

test('a picture that floats beside the hidden page goes on', async () => {
  const { clock, viewing, setHidden } = scene;
  pictures.begin([picture('host'), picture('ann', 'ann')]);
  for (const id of ['host', 'ann']) pictures.begun(id);
  await clock.advance(firstPictureMs);
  viewing.floats.value = true;
  setHidden(true);
  await clock.advance(outOfSightAfterMs);
  expect(sent).toEqual({ host: 0, ann: null });
});

test('a picture that begins out of sight is sent until it is there, without which its sound would not play', async () => {
  const { clock, setHidden } = scene;
  setHidden(true);
  await clock.advance(outOfSightAfterMs);
  pictures.begin([picture('host')]);
  await clock.advance(60_000);
  expect(sent).toEqual({ host: 0 });
  pictures.begun('host');
  await clock.advance(firstPictureMs - 1);
  expect(sent).toEqual({ host: 0 });
  await clock.advance(1);
  expect(sent).toEqual({ host: null });
});

test('with sound only no picture is begun, and those that are there end', async () => {
  scene.quality.value = 'sound';
  pictures.begin([picture('host')]);
  await settled();
  expect(sent).toEqual({ host: null });
  scene.quality.value = 720;
  await settled();
  expect(sent).toEqual({ host: 2 });
  scene.quality.value = 'sound';
  await settled();
  expect(sent).toEqual({ host: null });
});

test('a camera behind a shared screen is not sent until the screen has ended', async () => {
  place(hostPlace, 1_280);
  pictures.begin([picture('camera'), picture('screen', 'host', 'screen')]);
  await settled();
  expect(sent).toEqual({ camera: null, screen: 2 });
  pictures.drop('screen');
  await settled();
  expect(sent.camera).toBe(2);
});
