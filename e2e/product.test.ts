// The main job, in real browsers: go live, watch by WebRTC and by LL-HLS, buy tokens, tip, earn, end.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyBooks } from '#db';
import {
  admitGuest,
  balanceOf,
  buyTokens,
  choose,
  goLive,
  type PersonInBrowser,
  passAgeGate,
  register,
  sendTip,
} from '../testing/people.ts';
import { quantile, readDelays } from '../testing/pixel-clock.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { framesAdvance, playsOn, soundArrives, untilPlaying } from '../testing/video.ts';

const player = '[data-testid="player"]';

let product: Product;
let performer: PersonInBrowser;
let fan: PersonInBrowser;
let guest: PersonInBrowser;
let streamId: string;

beforeAll(async () => {
  product = await startProduct();
  [performer, fan, guest] = [
    await product.openWindow(),
    await product.openWindow(),
    await product.openWindow(),
  ];
});
afterAll(() => product?.close());

test('a performer registers, opens the studio and goes live', async () => {
  await register(performer, 'performer');
  streamId = await goLive(performer, 'Clock and tone');
});

test('a guest finds the stream on the home page', async () => {
  await guest.page.goto('/');
  const card = guest.page.locator(`[data-testid="stream-card"][data-stream-id="${streamId}"]`);
  await card.waitFor({ timeout: 20_000 });
  expect(await card.textContent()).toContain('Clock and tone');
});

test('a fan watches by WebRTC: frames go on, sound is heard, the delay is too short to notice', async () => {
  await register(fan, 'fan');
  await fan.page.goto(`/watch/${streamId}`);
  await untilPlaying(fan.page, 'webrtc');
  await soundArrives(fan.page);
  const { delaysMs } = await readDelays(fan.page, player, { samples: 60, timeoutMs: 30_000 });
  expect(quantile(delaysMs, 0.5)).toBeLessThan(500);
});

test('a guest passes the age gate and watches by LL-HLS: frames go on, sound is heard, a few seconds behind at most', async () => {
  await guest.page.goto(`/watch/${streamId}`);
  await passAgeGate(guest);
  await untilPlaying(guest.page, 'webrtc');
  await guest.page.locator(player).hover();
  await choose(guest.page, 'transport-hls');
  await untilPlaying(guest.page, 'hls');
  await soundArrives(guest.page);
  const { delaysMs } = await readDelays(guest.page, player, { samples: 60, timeoutMs: 30_000 });
  expect(quantile(delaysMs, 0.5)).toBeLessThan(4_000);
  expect(quantile(delaysMs, 0.5)).toBeGreaterThan(100);
});

test('a browser without Media Source Extensions plays HLS with its own player', async () => {
  const { page, context, complaints } = await product.openWindow();
  await admitGuest({ context });
  await context.addInitScript(() => {
    for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource']) {
      Reflect.deleteProperty(window, name);
    }
  });
  await page.goto(`/watch/${streamId}?transport=hls`);
  await untilPlaying(page, 'hls');
  await playsOn(page, 3);
  // A page may not listen to what the browser fetched by itself, but it may count.
  await page.waitForFunction(
    (selector) =>
      Number(Reflect.get(document.querySelector(selector) ?? {}, 'webkitAudioDecodedByteCount')) >
      0,
    `video${player}`,
  );
  const source = await page.locator(`video${player}`).getAttribute('src');
  expect(new URL(source ?? '').pathname).toBe(`/live/${streamId}/master.m3u8`);
  expect(complaints).toEqual([]);
  await context.close();
});

test('a purchase through the checkout page credits once, though its webhooks come three times', async () => {
  await product.sandbox.setFaults({ webhooks: { copies: 3 } });
  await buyTokens(fan);
  await product.sandbox.settled(20_000);
  expect(await balanceOf(fan)).toBe(50);
});

test('a tip shows in all three windows, and the performer has earned', async () => {
  await fan.page.goto(`/watch/${streamId}`);
  await untilPlaying(fan.page, 'webrtc');
  expect(await sendTip(fan, 20, 'What a clock!')).toBe(201);
  for (const { page } of [fan, guest]) {
    const line = page.getByTestId('chat-tip').filter({ hasText: 'What a clock!' });
    await line.waitFor({ timeout: 10_000 });
    expect(await line.textContent()).toContain(fan.username);
  }
  await choose(performer.page, 'side-tips');
  await performer.page
    .getByTestId('tip-row')
    .filter({ hasText: 'What a clock!' })
    .waitFor({ timeout: 10_000 });
  await choose(performer.page, 'side-chat');
  await performer.page
    .locator('[data-testid="studio-earnings"][data-paise="1000"]')
    .waitFor({ timeout: 10_000 });
  await fan.page.locator('[data-testid="tip-balance"][data-balance="30"]').waitFor();
});

test('a chat line reaches everybody', async () => {
  await fan.page.getByTestId('chat-input').fill('Good evening');
  await fan.page.getByTestId('chat-send').click();
  for (const { page } of [fan, guest, performer]) {
    await page
      .getByTestId('chat-line')
      .filter({ hasText: 'Good evening' })
      .waitFor({ timeout: 10_000, state: 'attached' });
  }
});

test('while the camera is switched off the sound goes on, and the pictures come back with it', async () => {
  const toggle = performer.page.getByTestId('toggle-camera');
  await toggle.click();
  for (const { page } of [fan, guest]) {
    await playsOn(page, 4);
    await soundArrives(page);
  }
  await toggle.click();
  for (const { page } of [fan, guest]) {
    await framesAdvance(page, 30);
    await readDelays(page, player, { samples: 10, timeoutMs: 20_000 });
  }
});

test('the books balance after all of this', async () => {
  expect(await verifyBooks(product.database.db)).toEqual([]);
});

test('when the performer ends the stream it ends for everybody', async () => {
  await performer.page.getByTestId('end-stream').click();
  await performer.page.getByTestId('end-stream-confirm').click();
  for (const { page } of [fan, guest]) {
    await page.getByTestId('stream-ended').waitFor({ timeout: 15_000 });
  }
  await performer.page.getByTestId('stream-summary').waitFor({ timeout: 15_000 });
});

test('no page has complained: no error, no refused resource, no broken policy', () => {
  for (const person of [performer, fan]) expect(person.complaints).toEqual([]);
  // A browser writes down what was refused before the age gate was passed.
  expect(guest.complaints.filter((line) => !line.includes('403'))).toEqual([]);
});
