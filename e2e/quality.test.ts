// How a viewer sees, from a real browser to the metrics of the node.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admitGuest, goLive, register } from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { untilPlaying } from '../testing/video.ts';

let product: Product;

beforeAll(async () => {
  product = await startProduct();
});
afterAll(() => product?.close());

/** The value of the series that begins so. */
async function metric(series: string): Promise<number> {
  const { urls, secrets } = product.stack;
  const answer = await fetch(`${urls.sfu}/metrics`, {
    headers: { authorization: `Bearer ${secrets.nodeSecret}` },
  });
  const line = (await answer.text()).split('\n').find((text) => text.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1));
}

test('a viewer tells the time to the first picture, and the node measures the way to it', async () => {
  const performer = await product.openWindow();
  await register(performer, 'performer');
  const streamId = await goLive(performer, 'Measured');
  const viewer = await product.openWindow();
  await admitGuest(viewer);
  await viewer.page.goto(`/watch/${streamId}`);
  await untilPlaying(viewer.page, 'webrtc');

  const patience = { timeout: 30_000 };
  await expect.poll(() => metric('livepanty_sfu_viewer_join_seconds_count'), patience).toBe(1);
  expect(await metric('livepanty_sfu_viewer_join_seconds_sum')).toBeGreaterThan(0);
  expect(await metric('livepanty_sfu_quality_reports_total{outcome="untrue"}')).toBe(0);
  const roundTrips = 'livepanty_sfu_viewer_rtt_seconds_count{measured_by="node"}';
  await expect.poll(() => metric(roundTrips), patience).toBeGreaterThan(0);
  // The first report of a whole span.
  const watched = () => metric('livepanty_sfu_viewer_watched_seconds_total');
  await expect.poll(watched, { timeout: 60_000 }).toBeGreaterThan(20);
  expect(await metric('livepanty_sfu_quality_reports_total{outcome="untrue"}')).toBe(0);
});
