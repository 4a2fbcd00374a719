// Being found, in real browsers: the list and its filters, the search, the count of who watches, stream keys, and a raid.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admitGuest, goLive, type PersonInBrowser, phone, register } from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { untilPlaying } from '../testing/video.ts';

let product: Product;
let host: PersonInBrowser;
let other: PersonInBrowser;
let viewer: PersonInBrowser;
let hostStream: string;
let otherStream: string;

beforeAll(async () => {
  product = await startProduct();
  [host, other, viewer] = [
    await product.openWindow(),
    await product.openWindow(),
    await product.openWindow(phone),
  ];
  await register(host, 'host');
  await register(other, 'other');
  await admitGuest(viewer);
});
afterAll(() => product?.close());

const count = ({ page }: PersonInBrowser) => page.getByTestId('viewer-count');

test('a performer makes a stream key, which is shown once', async () => {
  const { page } = other;
  await page.goto('/studio');
  await page.getByTestId('become-performer').click();
  await page.getByTestId('stream-key-new').click();
  await page.getByTestId('stream-key-name').fill('OBS on my desk');
  await page.getByTestId('stream-key-make').click();
  await page.getByTestId('stream-key-secret').waitFor();
  const secret = await page.getByTestId('stream-key-secret').textContent();
  expect(secret).toMatch(/^lpk_/);
  await page.getByTestId('stream-key-done').click();
  await page.getByTestId('stream-key').waitFor();
  expect(await page.content()).not.toContain(secret);
});

test('streams are found on the home page, by filter and by words', async () => {
  hostStream = await goLive(host, 'Clock and tone');
  otherStream = await goLive(other, 'Raga at night');
  const { page } = viewer;
  await page.goto('/');
  const card = (id: string) => page.locator(`[data-testid="stream-card"][data-stream-id="${id}"]`);
  await card(hostStream).waitFor();
  await page.getByTestId('category-dance').click();
  await page.getByTestId('show-everything').click();
  await page.getByTestId('live-sort').selectOption('newest');
  await card(otherStream).waitFor();
  expect(new URL(page.url()).search).toBe('?sort=newest');
  await page.getByTestId('header-search-link').click();
  await page.getByTestId('search-input').fill('raga at ni');
  await card(otherStream).waitFor();
  expect(await page.getByTestId('stream-card').count()).toBe(1);
  await page.getByTestId('search-input').fill(host.username.slice(0, 8));
  await page.getByTestId('found-performer').waitFor();
  await card(hostStream).waitFor();
});

test('who watches by WebRTC and by HLS in two tabs is one viewer', async () => {
  await viewer.page.goto(`/watch/${hostStream}`);
  await untilPlaying(viewer.page, 'webrtc');
  const second = await viewer.context.newPage();
  await second.goto(`/watch/${hostStream}?transport=hls`);
  await untilPlaying(second, 'hls');
  const isCounted = async () => {
    const [row] = await product.database.asOwner<{ audience: number; most: number }>(
      'select audience, audience_most as most from stream_media where stream_id = $1',
      [hostStream],
    );
    return row;
  };
  // Long enough for both ways to have been told and counted.
  await expect.poll(isCounted, { timeout: 20_000 }).toEqual({ audience: 1, most: 1 });
  const rounds = async () => {
    const [row] = await product.database.asOwner<{ at: Date }>(
      'select counted_at as at from stream_media where stream_id = $1',
      [hostStream],
    );
    return row?.at.getTime() ?? 0;
  };
  const first = await rounds();
  await expect
    .poll(async () => (await rounds()) - first, { timeout: 40_000 })
    .toBeGreaterThan(9_000);
  expect(await isCounted()).toEqual({ audience: 1, most: 1 });
  expect(await count(viewer).getAttribute('data-viewers')).toBe('1');
  await second.close();
});

test('the host leads the viewers on: one stays, one goes there by itself', async () => {
  const staying = await product.openWindow();
  await admitGuest(staying);
  await staying.page.goto(`/watch/${hostStream}`);
  await untilPlaying(staying.page, 'webrtc');
  const { page } = host;
  await page.getByTestId('raid-open').click();
  await page.getByTestId('raid-choice').first().waitFor({ state: 'attached' });
  await page.locator('.raid-choice', { hasText: 'Raga at night' }).click();
  await page.getByTestId('raid-send').click();
  await page.getByTestId('raid-led').waitFor();
  await staying.page.getByTestId('raid-stay').click();
  await viewer.page.getByTestId('raid-notice').waitFor();
  await viewer.page.waitForURL(`**/watch/${otherStream}`, { timeout: 25_000 });
  await untilPlaying(viewer.page, 'webrtc');
  expect(await viewer.page.getByTestId('chat-raid').textContent()).toContain(host.username);
  expect(staying.page.url()).toContain(hostStream);
  await page.getByTestId('end-stream').click();
  await page.getByTestId('end-stream-confirm').click();
  await staying.page.getByTestId('ended-raid-goal').waitFor();
  for (const { complaints } of [host, other, viewer, staying]) expect(complaints).toEqual([]);
});
