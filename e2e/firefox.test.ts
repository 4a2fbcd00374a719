// Firefox publishes and watches: another engine than that of all other tests.
import { randomUUID } from 'node:crypto';
import type { Browser } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  click,
  fill,
  findFirefox,
  logIn,
  openFirefoxWindow,
  type PersonInFirefox,
  passAgeGateIn,
  see,
  startFirefox,
  untilPlayingIn,
  watched,
} from '../testing/firefox.ts';
import { publishingPart } from '../testing/nodes.ts';
import {
  admitGuest,
  buyTokens,
  goLive,
  type PersonInBrowser,
  register,
  withoutH264,
} from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { framesAdvance, soundArrives, untilPlaying, watchForGaps } from '../testing/video.ts';

const program = findFirefox();
if (!program) console.warn('left out: the set-up has no Firefox for this system');

/** Two browsers and the re-encoding of VP8 share the machine. */
const timeout = 240_000;
/** A picture may stand still for so long when a node is replaced. */
const drainGapMsMax = 1_000;

describe.runIf(program !== null)('Firefox', { timeout }, () => {
  /** One line may register ten people in ten minutes, guests included: these tests stay below. */
  let product: Product;
  let browser: Browser;
  /** What the node has logged of published pictures. */
  const published: string[] = [];
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    product = await startProduct(
      { LIVEPANTY_SFU_NODES: '2' },
      {
        onLine: (part, text) => {
          if (part.startsWith('sfu') && text.includes('"source":"camera"')) published.push(text);
        },
      },
    );
    browser = await startFirefox(program ?? '');
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });
  afterAll(async () => {
    await browser?.close();
    await product?.close();
  });

  const at = (path: string) => `${product.stack.urls.app}${path}`;

  async function openWindow(): Promise<PersonInBrowser> {
    const person = await product.openWindow();
    open.push(person.context);
    return person;
  }

  async function openFirefox(from = browser): Promise<PersonInFirefox> {
    const person = await openFirefoxWindow(from);
    open.push(person.context);
    return person;
  }

  /** A performer in Chromium, on the air. */
  async function performIn(
    codec: 'H264' | 'VP8',
  ): Promise<{ performer: PersonInBrowser; streamId: string }> {
    const performer = await openWindow();
    if (codec === 'VP8') await withoutH264(performer);
    await register(performer, 'performer');
    return { performer, streamId: await goLive(performer, `From Chromium, in ${codec}`) };
  }

  /** A performer in Firefox, on the air. */
  async function performInFirefox(): Promise<{ performer: PersonInFirefox; streamId: string }> {
    const registered = await openWindow();
    await register(registered, 'performer');
    const performer = await openFirefox();
    await logIn(performer, product.stack, registered);
    const { page } = performer;
    await page.goto(at('/studio'));
    await click(performer, 'become-performer');
    await fill(performer, 'stream-title-input', 'From Firefox');
    const started = page.waitForResponse((response) =>
      /\/v1\/streams\/[0-9a-f-]+\/start$/.test(response.url()),
    );
    await click(performer, 'go-live');
    const [, streamId = ''] = /streams\/([0-9a-f-]+)\/start$/.exec((await started).url()) ?? [];
    await see(performer, '[data-testid="on-air"][data-phase="live"]');
    return { performer, streamId };
  }

  async function watchAsGuest(streamId: string, person: PersonInFirefox): Promise<void> {
    await person.page.goto(at(`/watch/${streamId}`));
    await passAgeGateIn(person);
  }

  test('a performer goes live with layers in VP8, is seen and heard by WebRTC and by HLS, and goes to another node', async () => {
    const { performer, streamId } = await performInFirefox();
    const viewer = await openWindow();
    await admitGuest(viewer);
    for (const transport of ['webrtc', 'hls'] as const) {
      await viewer.page.goto(`/watch/${streamId}${transport === 'hls' ? '?transport=hls' : ''}`);
      await untilPlaying(viewer.page, transport);
      await soundArrives(viewer.page);
      await framesAdvance(viewer.page, 60);
      expect(viewer.complaints).toEqual([]);
    }
    const health = await performer.page.evaluate(
      () => document.querySelector('[data-testid="health"]')?.textContent,
    );
    expect(health).toMatch(/\d+p VP8/);
    expect(published.at(-1)).toContain('"type":"simulcast"');

    // A node that is replaced sends both of them to the other one, and the picture goes on.
    const guest = await openFirefox();
    await watchAsGuest(streamId, guest);
    await untilPlayingIn(guest, 'webrtc');
    await framesAdvance(watched(guest), 30);
    const part = await publishingPart(product.stack, streamId);
    const longestGapMs = await watchForGaps(watched(guest));
    await product.stack.restart(part);
    await framesAdvance(watched(guest), 60);
    await untilPlayingIn(guest, 'webrtc');
    expect(await publishingPart(product.stack, streamId)).not.toBe(part);
    expect(await longestGapMs()).toBeLessThan(drainGapMsMax);
    expect([...guest.complaints, ...performer.complaints]).toEqual([]);
  });

  test('a member watches VP8 live, hears it, chats and tips; after the SFU node was killed the picture comes back', async () => {
    const { performer, streamId } = await performIn('VP8');
    const registered = await openWindow();
    await register(registered, 'fan');
    await buyTokens(registered);
    const fan = await openFirefox();
    await logIn(fan, product.stack, registered);
    await fan.page.goto(at(`/watch/${streamId}`));
    await untilPlayingIn(fan, 'webrtc');
    await soundArrives(watched(fan));

    const words = `Good evening ${randomUUID().slice(0, 8)}`;
    await fill(fan, 'chat-input', words);
    await click(fan, 'chat-send');
    await performer.page.getByTestId('chat-line').filter({ hasText: words }).waitFor();
    await fill(fan, 'tip-custom', '5');
    await click(fan, 'tip-send');
    await see(fan, '[data-testid="chat-tip"]');
    await performer.page.getByTestId('chat-tip').waitFor();
    expect(fan.complaints).toEqual([]);

    await fan.page.evaluate(() => Reflect.set(window, 'loadedOnce', true));
    const part = await publishingPart(product.stack, streamId);
    await product.stack.kill(part);
    await product.stack.untilReady(part, 30_000);
    await untilPlayingIn(fan, 'webrtc', 60_000);
    expect(await fan.page.evaluate(() => Reflect.get(window, 'loadedOnce'))).toBe(true);
  });

  test('a guest whose Firefox lacks H264 for WebRTC gets HLS with the reason, seen and heard', async () => {
    const { streamId } = await performIn('H264');
    const guest = await openFirefox();
    await watchAsGuest(streamId, guest);
    await untilPlayingIn(guest, 'hls');
    await soundArrives(watched(guest));
    await framesAdvance(watched(guest), 60);
    await see(guest, '.controls-reason');
    const reason = await guest.page.evaluate(
      () => document.querySelector('.controls-reason')?.textContent,
    );
    expect(reason).toContain('cannot decode the live picture');
    expect(guest.complaints).toEqual([]);
  });

  test('a Firefox that decodes no H264 at all is told so, and plays VP8 live', async () => {
    const bare = await startFirefox(program ?? '', { 'media.ffmpeg.enabled': false });
    open.push(bare);
    const { streamId: inH264 } = await performIn('H264');
    const guest = await openFirefox(bare);
    await watchAsGuest(inH264, guest);
    await see(guest, '[data-testid="player"][data-state="unplayable"] ~ .veil');
    const told = await guest.page.evaluate(() => document.querySelector('.veil')?.textContent);
    expect(told).toContain('cannot play this stream');
    const { streamId: inVp8 } = await performIn('VP8');
    await guest.page.goto(at(`/watch/${inVp8}`));
    await untilPlayingIn(guest, 'webrtc');
    expect(guest.complaints).toEqual([]);
  });
});
