// Two SFU nodes: one stream on both, and nobody notices when a node is replaced.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { PartName } from '../scripts/launch/stack.ts';
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

const Stats = z.object({
  rooms: z.array(z.object({ streamId: z.string(), publishing: z.boolean(), viewers: z.number() })),
});

const parts = ['sfu', 'sfu-2'] as const satisfies PartName[];

/** What each node says of the stream; null for one on which nobody is in its room. */
async function roomsOfNodes() {
  const { urls, secrets } = product.stack;
  return Promise.all(
    [urls.sfu, urls.sfu2].map(async (url) => {
      const answer = await fetch(`${url}/stats`, {
        headers: { authorization: `Bearer ${secrets.nodeSecret}` },
      });
      const { rooms } = Stats.parse(await answer.json());
      return rooms.find((room) => room.streamId === streamId) ?? null;
    }),
  );
}

/** The node that the performer sends to. */
async function publishingPart(): Promise<(typeof parts)[number]> {
  let index = -1;
  await expect
    .poll(
      async () => {
        index = (await roomsOfNodes()).findIndex((room) => room?.publishing);
        return index;
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThanOrEqual(0);
  return parts[index] ?? 'sfu';
}

test('the viewer for whom one node has no place watches on the other one', async () => {
  const rooms = await roomsOfNodes();
  expect(rooms.map((room) => room?.viewers).toSorted()).toEqual([1, viewersPerWorker]);
  expect(rooms.filter((room) => room?.publishing)).toHaveLength(1);
  for (const { page } of viewers) await framesAdvance(page, 30);
});

test('a node that is replaced in an orderly way: the picture goes on where it was brought', async () => {
  const part = await publishingPart();
  for (const leaving of viewers.splice(1)) await leaving.page.close();
  const [viewer] = viewers;
  if (!viewer) throw new Error('somebody watches');
  const longestGapMs = await watchForGaps(viewer.page);
  await product.stack.restart(part);
  await framesAdvance(viewer.page, 60);
  expect(await publishingPart()).not.toBe(part);
  expect(await longestGapMs()).toBeLessThan(drainGapMsMax);
});

test('a node that is killed: the picture is back within eight seconds', async () => {
  const [viewer] = viewers;
  if (!viewer) throw new Error('somebody watches');
  await untilPlaying(viewer.page, 'webrtc');
  const longestGapMs = await watchForGaps(viewer.page);
  const part = await publishingPart();
  await product.stack.kill(part);
  await framesAdvance(viewer.page, 60, 30_000);
  await untilPlaying(viewer.page, 'webrtc', 30_000);
  expect(await longestGapMs()).toBeLessThan(killedMsMax);
});
