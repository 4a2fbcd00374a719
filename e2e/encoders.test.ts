// Encoders and players that are not ours: they publish and play by HTTP, and people see and hear it in browsers.
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findGstreamerEncoder, startGstreamerEncoder } from '../testing/gstreamer-encoder.ts';
import { accessTokenOf, admitGuest, type PersonInBrowser, register } from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { framesAdvance, soundArrives, untilPlaying } from '../testing/video.ts';
import {
  foreignOrigin,
  foreignPageArgs,
  openForeignPage,
  playByWhep,
  publishByWhip,
  receivedByPeer,
  transportState,
} from '../testing/whip-whep.ts';

/** What was cut off is gone by then. */
const goneWithinMs = 5_000;

let product: Product;
let viewers: Record<'webrtc' | 'hls', PersonInBrowser>;
let fan: PersonInBrowser;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  product = await startProduct({ API_ORIGINS: foreignOrigin }, { browserArgs: foreignPageArgs });
  viewers = { webrtc: await product.openWindow(), hls: await product.openWindow() };
  for (const viewer of Object.values(viewers)) await admitGuest(viewer);
  fan = await product.openWindow();
  await register(fan, 'fan');
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => product?.close());

/** A page of another site. */
async function openElsewhere() {
  const { page, context } = await product.openWindow();
  open.push(context);
  await openForeignPage(page);
  return page;
}

async function shownSecret(page: Page): Promise<string> {
  const secret = page.getByTestId('stream-key-secret').filter({ hasText: 'lpk_' });
  return (await secret.textContent()) ?? '';
}

/** A performer in the studio, who has announced a stream and made a key for an encoder. */
async function preparePerformer() {
  const performer = await product.openWindow();
  const { page, context } = performer;
  open.push(context);
  await register(performer, 'performer');
  await page.goto('/studio');
  await page.getByTestId('become-performer').click();
  await page.getByTestId('stream-key-new').click();
  await page.getByTestId('stream-key-name').fill('An encoder');
  await page.getByTestId('stream-key-make').click();
  const token = await shownSecret(page);
  const url = await page.getByRole('dialog').getByTestId('whip-address').textContent();
  await page.getByTestId('stream-key-done').click();
  const headers = { authorization: `Bearer ${await accessTokenOf(performer)}` };
  const created = await context.request.post('/v1/streams', {
    headers: { ...headers, 'idempotency-key': crypto.randomUUID() },
    data: { title: 'From an encoder', category: 'music' },
  });
  const Made = z.object({ id: z.string() });
  const { id } = Made.parse(await created.json());
  const me = await context.request.get('/v1/auth/me', { headers });
  return {
    page,
    userId: Made.parse(await me.json()).id,
    key: { url: url ?? '', token },
    streamId: id,
    endStream: () => context.request.post(`/v1/streams/${id}/end`, { headers }),
  };
}

const Stats = z.object({ connections: z.object({ whip: z.number(), whep: z.number() }) });
/** Connections by HTTP that the node has. */
async function connections() {
  const { urls, secrets } = product.stack;
  const headers = { authorization: `Bearer ${secrets.nodeSecret}` };
  return Stats.parse(await (await fetch(`${urls.sfu}/stats`, { headers })).json()).connections;
}

async function watch(streamId: string): Promise<void> {
  await viewers.webrtc.page.goto(`/watch/${streamId}`);
  await untilPlaying(viewers.webrtc.page, 'webrtc');
  await viewers.hls.page.goto(`/watch/${streamId}?transport=hls`);
  await untilPlaying(viewers.hls.page, 'hls', 60_000);
  for (const { page } of Object.values(viewers)) await soundArrives(page);
}

type Key = { url: string; token: string };
const gstreamer = findGstreamerEncoder();
if (!gstreamer) console.warn('left out: the set-up has no GStreamer encoder for this system');

const encoders: [string, (key: Key) => Promise<void>][] = [
  [
    'a page of another site',
    async (key) => {
      await publishByWhip(await openElsewhere(), key);
    },
  ],
];
if (gstreamer) {
  encoders.push([
    'a GStreamer program',
    async (key) => {
      open.push(startGstreamerEncoder(gstreamer, { ...key, codec: 'H264' }));
    },
  ]);
}

describe.each(encoders)('%s', (_, startEncoder) => {
  test('publishes with a stream key; it is seen by WebRTC, by HLS and by WHEP until the stream ends', async () => {
    const { key, streamId, endStream } = await preparePerformer();
    await startEncoder(key);
    await watch(streamId);
    const player = await openElsewhere();
    const url = `${product.stack.urls.edge}/v1/whep/${streamId}`;
    await playByWhep(player, { url, token: await accessTokenOf(fan) });
    await expect
      .poll(() => receivedByPeer(player), { timeout: 20_000 })
      .toSatisfy(
        ({ frames, audioPackets }: Awaited<ReturnType<typeof receivedByPeer>>) =>
          frames > 20 && audioPackets > 20,
      );
    expect(await connections()).toEqual({ whip: 1, whep: 1 });
    expect((await endStream()).status()).toBe(200);
    await expect.poll(connections, { timeout: goneWithinMs }).toEqual({ whip: 0, whep: 0 });
    await expect.poll(() => transportState(player), { timeout: goneWithinMs }).toBe('closed');
    await viewers.webrtc.page.getByTestId('stream-ended').waitFor();
  });
});

test('the studio notices an encoder, shows what goes out with its chat, and can take the stream over', async () => {
  const { key, streamId, page } = await preparePerformer();
  await page.goto('/studio');
  await page.getByTestId('planned-stream').waitFor();
  await publishByWhip(await openElsewhere(), key);

  const monitor = page.getByTestId('monitor');
  await monitor.waitFor();
  const frames = () =>
    monitor.evaluate((video: HTMLVideoElement) => video.getVideoPlaybackQuality().totalVideoFrames);
  await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(20);
  await expect.poll(() => page.getByTestId('on-air').getAttribute('data-phase')).toBe('live');
  await fan.page.goto(`/watch/${streamId}`);
  await untilPlaying(fan.page, 'webrtc');
  await fan.page.getByTestId('chat-input').fill('Does the encoder hear me?');
  await fan.page.getByTestId('chat-send').click();
  await page.getByText('Does the encoder hear me?').waitFor();
  // The performer who looks on is none of the viewers.
  await expect.poll(() => page.getByTestId('studio-viewers').textContent()).toMatch(/^\s*1\b/);

  await page.getByTestId('take-over').click();
  await page.getByTestId('preview').waitFor();
  await expect.poll(async () => (await connections()).whip, { timeout: goneWithinMs }).toBe(0);
  await untilPlaying(fan.page, 'webrtc');
  await framesAdvance(fan.page, 20);
  await page.getByTestId('end-stream').click();
  await page.getByTestId('end-stream-confirm').click();
  await page.getByTestId('stream-summary').waitFor();
});

test('a ban ends at once what is published by HTTP', async () => {
  const { key, userId } = await preparePerformer();
  await publishByWhip(await openElsewhere(), key);
  expect((await connections()).whip).toBe(1);
  const staff = await product.logStaffIn();
  await staff('POST', `/admin/users/${userId}/ban`, { reason: 'a test' });
  await expect.poll(async () => (await connections()).whip, { timeout: goneWithinMs }).toBe(0);
});

test('a new secret cuts the encoder off at once; with it the encoder comes back, and viewers see on', async () => {
  const { page, key, streamId } = await preparePerformer();
  await publishByWhip(await openElsewhere(), key);
  const viewer = viewers.webrtc.page;
  await viewer.goto(`/watch/${streamId}`);
  await untilPlaying(viewer, 'webrtc');
  await page.getByTestId('stream-key-rotate').click();
  await page.getByTestId('stream-key-confirm').click();
  const token = await shownSecret(page);
  await expect.poll(async () => (await connections()).whip, { timeout: goneWithinMs }).toBe(0);
  const refused = await fetch(key.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${key.token}`, 'content-type': 'application/sdp' },
    body: 'v=0\r\n',
  });
  expect(refused.status).toBe(401);
  await publishByWhip(await openElsewhere(), { ...key, token });
  await untilPlaying(viewer, 'webrtc');
  await framesAdvance(viewer, 30);
});
