// Two SFU nodes: one stream on both, and nobody notices when a node is replaced.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishingPart, roomsOfNodes } from '../testing/nodes.ts';
import { admitGuest, goLive, type PersonInBrowser, register } from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { framesAdvance, untilPlaying, watchForGaps } from '../testing/video.ts';

/** A picture may stand still for so long when a node is replaced in an orderly way, and be gone when it is killed. */
const drainGapMsMax = 500;
const killedMsMax = 8_000;
/** A worker of these nodes takes two viewers, so that a third one is on the other node. */
const viewersPerWorker = 2;

let product: Product;
let performer: PersonInBrowser;
let viewers: PersonInBrowser[];
let streamId: string;

beforeAll(async () => {
  product = await startProduct({
    LIVEPANTY_SFU_NODES: '2',
    SFU_VIEWERS_PER_WORKER: String(viewersPerWorker),
  });
  performer = await product.openWindow();
  await register(performer, 'performer');
  streamId = await goLive(performer, 'On two machines');
  viewers = [];
  for (let index = 0; index < viewersPerWorker + 1; index += 1) {
    const viewer = await product.openWindow();
    await admitGuest(viewer);
    await viewer.page.goto(`/watch/${streamId}`);
    await untilPlaying(viewer.page, 'webrtc');
    viewers.push(viewer);
  }
});
afterAll(() => product?.close());

test('the viewer for whom one node has no place watches on the other one', async () => {
  const rooms = await roomsOfNodes(product.stack, streamId);
  expect(rooms.map((room) => room?.viewers).toSorted()).toEqual([1, viewersPerWorker]);
  expect(rooms.filter((room) => room?.publishing)).toHaveLength(1);
  for (const { page } of viewers) await framesAdvance(page, 30);
});

test('a node that is replaced in an orderly way: the picture goes on where it was brought', async () => {
  const part = await publishingPart(product.stack, streamId);
  for (const leaving of viewers.splice(1)) await leaving.page.close();
  const [viewer] = viewers;
  if (!viewer) throw new Error('somebody watches');
  const longestGapMs = await watchForGaps(viewer.page);
  await product.stack.restart(part);
  await framesAdvance(viewer.page, 60);
  expect(await publishingPart(product.stack, streamId)).not.toBe(part);
  expect(await longestGapMs()).toBeLessThan(drainGapMsMax);
});

test('a node that is killed: the picture is back within eight seconds', async () => {
  const [viewer] = viewers;
  if (!viewer) throw new Error('somebody watches');
  await untilPlaying(viewer.page, 'webrtc');
  const longestGapMs = await watchForGaps(viewer.page);
  const part = await publishingPart(product.stack, streamId);
  await product.stack.kill(part);
  await framesAdvance(viewer.page, 60, 30_000);
  await untilPlaying(viewer.page, 'webrtc', 30_000);
  expect(await longestGapMs()).toBeLessThan(killedMsMax);
});
