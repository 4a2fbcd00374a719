// What is not watched is not sent: pictures of the size in which they are shown, hidden pages, and what viewers choose.
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTabs, type Tabs } from '../testing/browser.ts';
import { framesEncodedBy, receivedBy, watchPeers } from '../testing/peer-stats.ts';
import { admitGuest, choose, goLive, type PersonInBrowser, register } from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { framesAdvance, soundArrives, untilPlaying } from '../testing/video.ts';

const small = { width: 280, height: 700 };
const large = { width: 1_600, height: 1_000 };
const smallest = 180;
const whole = 720;
/** Of sound that is not silent come some four kilobytes a second. */
const soundBytes = 8_000;
const patience = { timeout: 15_000, interval: 100 };

let product: Product;
let performer: PersonInBrowser;
let viewer: PersonInBrowser;
let streamId: string;

beforeAll(async () => {
  product = await startProduct();
  performer = await product.openWindow();
  await watchPeers(performer.page);
  await register(performer, 'performer');
  streamId = await goLive(performer, 'Seen or not');
  viewer = await product.openWindow({ viewport: small });
  await watchPeers(viewer.page);
  await admitGuest(viewer);
  await viewer.page.goto(`/watch/${streamId}`);
  await untilPlaying(viewer.page, 'webrtc');
});
afterAll(() => product?.close());

const heightSeen = async (page: Page) => (await receivedBy(page)).frameHeight;

/** They hide when nothing stirs; where there is no picture its cover lies over the video. */
const showControls = (page: Page) => page.locator('.player').hover();

async function pick(page: Page, quality: string): Promise<void> {
  await showControls(page);
  await page.getByTestId('quality-open').click();
  await choose(page, `quality-${quality}`);
  await page.getByTestId('quality-menu').waitFor({ state: 'hidden' });
}

const untilState = (page: Page, state: string) =>
  page.locator(`[data-testid="player"][data-state="${state}"]`).waitFor({ state: 'attached' });

/** Resolves when so much sound has come; answers the bytes of pictures that came meanwhile. */
async function pictureBytesDuringSound(page: Page): Promise<number> {
  const before = await receivedBy(page);
  const sound = async () => (await receivedBy(page)).audioBytes - before.audioBytes;
  await expect.poll(sound, patience).toBeGreaterThan(soundBytes);
  return (await receivedBy(page)).videoBytes - before.videoBytes;
}

/**
 * One rendition is packaged. A second one is added to the playlist, which shows the same and tells by its address which
 * of them is asked for. Answers what resolves when these kinds of media are asked for, and no others.
 */
async function watchRenditions(page: Page): Promise<(kinds: string[]) => Promise<void>> {
  await page.route('**/master.m3u8*', async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    const [uri] = /video0\.m3u8\S*/.exec(text) ?? [];
    const smaller =
      '#EXT-X-STREAM-INF:BANDWIDTH=90000,CODECS="avc1.42c01f,mp4a.40.2",RESOLUTION=320x180,AUDIO="audio"';
    await route.fulfill({ response, body: `${text}${smaller}\n${uri}&size=small\n` });
  });
  const asked: string[] = [];
  page.on('request', (request) => {
    const url = request.url();
    if (/\/audio\w*\.m3u8/.test(url)) asked.push('sound');
    if (/\/video\w*\.m3u8/.test(url)) asked.push(url.includes('size=small') ? 'small' : 'whole');
  });
  return (kinds) =>
    expect.poll(() => [...new Set(asked.slice(-12))].toSorted(), patience).toEqual(kinds);
}

describe('a picture', () => {
  test('in a small player comes small, and in a large one large within two seconds', async () => {
    const { page } = viewer;
    await expect.poll(() => heightSeen(page), patience).toBe(smallest);
    await page.setViewportSize(large);
    await expect.poll(() => heightSeen(page), { timeout: 2_000, interval: 50 }).toBe(whole);
    await page.setViewportSize(small);
    await expect.poll(() => heightSeen(page), patience).toBe(smallest);
  });

  test('comes in the size that is chosen, which the device remembers', async () => {
    const { page } = viewer;
    await pick(page, '360');
    await expect.poll(() => heightSeen(page), patience).toBe(360);
    await page.reload();
    await untilPlaying(page, 'webrtc');
    await expect.poll(() => heightSeen(page), patience).toBe(360);
    await page.setViewportSize(large);
    await pick(page, 'saver');
    await expect.poll(() => heightSeen(page), patience).toBe(smallest);
    await framesAdvance(page, 60);
    expect(await heightSeen(page)).toBe(smallest);
    await pick(page, 'auto');
    await expect.poll(() => heightSeen(page), patience).toBe(whole);
  });

  test('is neither sent nor shown where sound only is chosen, and the sound goes on', async () => {
    const { page } = viewer;
    await pick(page, 'sound');
    await untilState(page, 'sound');
    await page.getByText('Sound only', { exact: true }).first().waitFor();
    await expect.poll(() => pictureBytesDuringSound(page), { timeout: 20_000 }).toBe(0);
    await soundArrives(page);
    // The choice holds for a page that never had a picture, too.
    await page.reload();
    await untilState(page, 'sound');
    await soundArrives(page);
    expect((await receivedBy(page)).framesDecoded).toBe(0);
    await pick(page, 'auto');
    await untilPlaying(page, 'webrtc');
    await soundArrives(page);
  });

  test('that comes by HLS is chosen in the same way, and the live one takes its place again', async () => {
    const { page } = viewer;
    const loads = await watchRenditions(page);
    await showControls(page);
    await choose(page, 'transport-hls');
    await untilPlaying(page, 'hls');
    await loads(['sound', 'whole']);
    await pick(page, 'saver');
    await loads(['small', 'sound']);
    await pick(page, '720');
    await loads(['sound', 'whole']);
    await pick(page, '180');
    await loads(['small', 'sound']);
    await framesAdvance(page, 30);
    await pick(page, 'sound');
    await untilState(page, 'sound');
    await loads(['sound']);
    await soundArrives(page);
    await pick(page, 'auto');
    await untilPlaying(page, 'hls');
    await loads(['sound', 'whole']);
    await showControls(page);
    await choose(page, 'transport-webrtc');
    await untilPlaying(page, 'webrtc');
    await soundArrives(page);
  });
});

describe('a page in a tab that is not looked at', () => {
  let tabs: Tabs;

  beforeAll(async () => {
    tabs = await openTabs();
    const { page } = tabs;
    const origin = product.stack.urls.app;
    await watchPeers(page);
    await admitGuest({ context: page.context() }, origin);
    await page.goto(`${origin}/watch/${streamId}`);
    await untilPlaying(page, 'webrtc');
  });
  afterAll(() => tabs?.close());

  /** Looks back; answers after how many milliseconds a picture was shown that has come since. */
  async function timeToFreshPicture(): Promise<number> {
    await tabs.page.evaluate(() => {
      const fresh = Promise.withResolvers<number>();
      Reflect.set(window, 'freshPicture', fresh.promise);
      document.addEventListener(
        'visibilitychange',
        () => {
          const video = document.querySelector('video');
          const backAtMs = performance.now();
          const look: VideoFrameRequestCallback = (now, { receiveTime = 0 }) => {
            if (receiveTime > backAtMs) fresh.resolve(now - backAtMs);
            else video?.requestVideoFrameCallback(look);
          };
          video?.requestVideoFrameCallback(look);
        },
        { once: true },
      );
    });
    await tabs.lookBack();
    return tabs.page.evaluate(() => Reflect.get(window, 'freshPicture') as Promise<number>);
  }

  test('receives sound and no picture, stays on the live way, and shows a fresh picture within a second', async () => {
    const { page } = tabs;
    for (let round = 0; round < 3; round += 1) {
      await tabs.lookAway();
      await expect.poll(() => pictureBytesDuringSound(page), { timeout: 30_000 }).toBe(0);
      expect(await timeToFreshPicture()).toBeLessThan(1_000);
      await framesAdvance(page, 15);
      const player = page.getByTestId('player');
      expect(await player.getAttribute('data-transport')).toBe('webrtc');
      expect(await player.getAttribute('data-state')).toBe('playing');
    }
  });
});

describe('a page with HLS in a tab that is not looked at', () => {
  let tabs: Tabs;
  let loads: (kinds: string[]) => Promise<void>;

  beforeAll(async () => {
    tabs = await openTabs();
    const origin = product.stack.urls.app;
    await admitGuest({ context: tabs.page.context() }, origin);
    loads = await watchRenditions(tabs.page);
    await tabs.page.goto(`${origin}/watch/${streamId}?transport=hls`);
    await untilPlaying(tabs.page, 'hls');
  });
  afterAll(() => tabs?.close());

  test('goes on with the sound and the smallest picture, and with the whole one when it is back', async () => {
    const { page } = tabs;
    await pick(page, 'auto');
    await loads(['sound', 'whole']);
    await tabs.lookAway();
    await loads(['small', 'sound']);
    // A hidden page paints nothing, so its time is asked for from here.
    const position = () =>
      page.getByTestId('player').evaluate((video) => (video as HTMLVideoElement).currentTime);
    const from = await position();
    await expect.poll(position, patience).toBeGreaterThan(from + 3);
    await tabs.lookBack();
    await loads(['sound', 'whole']);
    await framesAdvance(page, 15);
    expect(await page.getByTestId('player').getAttribute('data-state')).toBe('playing');
  });
});

describe('a stream that nothing but viewers takes', () => {
  // Packaging for HLS takes all layers, whatever viewers want.
  beforeAll(() => product.stack.end('transcoder'));

  /** The heights of the layers that are encoded while a second passes at the viewer. */
  async function encodedHeights(): Promise<number[]> {
    const before = await framesEncodedBy(performer.page);
    await framesAdvance(viewer.page, 30);
    const after = Object.entries(await framesEncodedBy(performer.page));
    return after
      .map(([height, frames]) => ({ height: Number(height), frames }))
      .filter(({ height, frames }) => frames > (before[height] ?? 0))
      .map(({ height }) => height);
  }

  test('is encoded no larger than anybody sees it, and larger as soon as somebody does', async () => {
    const { page } = viewer;
    await page.setViewportSize(small);
    await expect.poll(() => heightSeen(page), patience).toBe(smallest);
    await expect.poll(encodedHeights, { timeout: 60_000 }).toEqual([smallest]);
    await page.setViewportSize(large);
    await expect.poll(() => heightSeen(page), patience).toBe(whole);
  });
});
