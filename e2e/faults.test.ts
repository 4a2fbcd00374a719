// Losing media loses pictures, never money: parts are killed while people watch and tip.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyBooks } from '#db';
import type { Stack } from '../scripts/launch/stack.ts';
import {
  admitGuest,
  balanceOf,
  buyTokens,
  goLive,
  type PersonInBrowser,
  register,
  sendTip,
} from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { framesAdvance, untilPlaying } from '../testing/video.ts';

let product: Product;
let stack: Stack;
let performer: PersonInBrowser;
let fan: PersonInBrowser;
let guest: PersonInBrowser;
let streamId: string;
/** Set in each page once it is loaded: gone after a reload. */
const mark = 'loadedOnce';

beforeAll(async () => {
  product = await startProduct();
  stack = product.stack;
  performer = await product.openWindow();
  fan = await product.openWindow();
  guest = await product.openWindow();
  await register(performer, 'performer');
  streamId = await goLive(performer, 'Through thick and thin');
  await register(fan, 'fan');
  await buyTokens(fan);
  await fan.page.goto(`/watch/${streamId}`);
  await admitGuest(guest);
  await guest.page.goto(`/watch/${streamId}?transport=hls`);
  await untilPlaying(fan.page, 'webrtc');
  await untilPlaying(guest.page, 'hls');
  for (const { page } of [performer, fan, guest]) {
    await page.evaluate((name) => Reflect.set(window, name, true), mark);
  }
});
afterAll(() => product?.close());

async function tip(message: string): Promise<void> {
  expect(await sendTip(fan, 2, message)).toBe(201);
}

async function seen(person: PersonInBrowser, message: string): Promise<void> {
  await person.page
    .getByTestId('chat-tip')
    .filter({ hasText: message })
    .waitFor({ timeout: 30_000, state: 'attached' });
}

test('a killed SFU node: tips go on, and pictures come back without a reload', async () => {
  await stack.kill('sfu');
  const message = `while the node is away ${randomUUID().slice(0, 8)}`;
  await tip(message);
  await stack.untilReady('sfu', 30_000);
  await untilPlaying(fan.page, 'webrtc', 60_000);
  await untilPlaying(guest.page, 'hls', 60_000);
  // What was said while the sockets were down is caught up.
  for (const person of [fan, guest]) await seen(person, message);
});

test('a killed transcoder: HLS comes back without a reload', async () => {
  await stack.kill('transcoder');
  await stack.untilReady('transcoder', 30_000);
  await untilPlaying(guest.page, 'hls', 60_000);
  await framesAdvance(guest.page, 60, 30_000);
});

test('a killed Redis: pictures go on, a tip is taken, and it is told late', async () => {
  await stack.kill('redis');
  const message = `while Redis is away ${randomUUID().slice(0, 8)}`;
  await tip(message);
  await framesAdvance(fan.page, 30);
  await stack.untilReady('redis', 30_000);
  for (const person of [fan, guest]) await seen(person, message);
});

test('a killed edge: pictures go on, and it serves again', async () => {
  await stack.kill('edge');
  await framesAdvance(fan.page, 30);
  await stack.untilReady('edge', 60_000);
  const message = `after the edge came back ${randomUUID().slice(0, 8)}`;
  await tip(message);
  for (const person of [fan, guest]) await seen(person, message);
});

test('after all of this nobody has reloaded, the balance is what it should be, and the books balance', async () => {
  for (const { page } of [performer, fan, guest]) {
    expect(await page.evaluate((name) => Reflect.get(window, name), mark)).toBe(true);
  }
  expect(await balanceOf(fan)).toBe(50 - 3 * 2);
  expect(await verifyBooks(product.database.db)).toEqual([]);
});
