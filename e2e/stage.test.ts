// The stage end to end: a guest publishes beside the performer, is muted, and taken off again.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admitGuest, goLive, type PersonInBrowser, register } from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { framesAdvance, untilPlaying } from '../testing/video.ts';

let product: Product;
let performer: PersonInBrowser;
let guest: PersonInBrowser;
let viewer: PersonInBrowser;
let streamId: string;

beforeAll(async () => {
  product = await startProduct();
  performer = await product.openWindow();
  guest = await product.openWindow();
  viewer = await product.openWindow();
  await register(performer, 'performer');
  await register(guest, 'viewer');
  await admitGuest(viewer);
  streamId = await goLive(performer, 'Together');
  for (const { page } of [guest, viewer]) {
    await page.goto(`/watch/${streamId}`);
    await untilPlaying(page, 'webrtc');
  }
});
afterAll(() => product?.close());

const tile = '[data-testid="guest-tile"] video';

/** Resolves when the picture of the guest has moved on by so many frames. */
async function guestMoves({ page }: PersonInBrowser, frames = 15): Promise<void> {
  const video = page.locator(tile);
  await video.waitFor();
  await video.evaluate(async (element, count) => {
    const shown = element as HTMLVideoElement;
    for (let seen = 0; seen < count; seen += 1) {
      await new Promise((resolve) => shown.requestVideoFrameCallback(resolve));
    }
  }, frames);
}

/** Energy of the guest's sound at this viewer, as the browser measures what it has decoded. */
const guestIsHeard = ({ page }: PersonInBrowser) =>
  page.locator(tile).evaluate(async (element) => {
    const [track] = ((element as HTMLVideoElement).srcObject as MediaStream).getAudioTracks();
    if (!track) return false;
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    for (let look = 0; look < 20; look += 1) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      analyser.getFloatTimeDomainData(samples);
      if (samples.some((sample) => Math.abs(sample) > 0.01)) {
        await context.close();
        return true;
      }
    }
    await context.close();
    return false;
  });

test('somebody who is invited goes on stage, and everybody sees them beside the performer', async () => {
  await performer.page.getByTestId('stage-username').fill(guest.username);
  await performer.page.getByTestId('stage-invite').click();
  await guest.page.locator('[data-testid="stage-seat"][data-state="invited"]').waitFor();
  await guest.page.getByTestId('seat-prepare').click();
  await guest.page.locator('[data-testid="stage-seat"][data-state="ready"]').waitFor();
  // Nobody sees what is only tried.
  expect(await viewer.page.locator(tile).count()).toBe(0);
  await guest.page.getByTestId('seat-join').click();
  await Promise.all([guestMoves(viewer), guestMoves(performer)]);
  await framesAdvance(viewer.page, 15);
  // As small as it is shown.
  const guestHeight = () =>
    viewer.page.locator(tile).evaluate((video) => (video as HTMLVideoElement).videoHeight);
  await expect.poll(guestHeight, { timeout: 15_000 }).toBe(180);
  await performer.page.locator('[data-testid="stage-guest"][data-state="seen"]').waitFor();
  // Whoever is on the stage does not hear themselves.
  expect(await guest.page.locator(tile).count()).toBe(0);
  await expect.poll(() => guestIsHeard(viewer), { timeout: 15_000 }).toBe(true);
});

test('whom the host mutes nobody hears, and they are told; their picture goes on', async () => {
  await performer.page.getByTestId('guest-mute').click();
  await guest.page.getByTestId('seat-held').waitFor();
  await expect.poll(() => guestIsHeard(viewer), { timeout: 15_000 }).toBe(false);
  await guestMoves(viewer);
  await performer.page.getByTestId('guest-mute').click();
  await guest.page.getByTestId('seat-held').waitFor({ state: 'detached' });
  await expect.poll(() => guestIsHeard(viewer), { timeout: 15_000 }).toBe(true);
});

test('a picture that the host pauses is covered for everybody, and comes back', async () => {
  await performer.page.getByTestId('guest-pause').click();
  await viewer.page.locator(tile).waitFor({ state: 'hidden' });
  await viewer.page.locator('[data-testid="guest-tile"] .guest-face').waitFor();
  await performer.page.getByTestId('guest-pause').click();
  await guestMoves(viewer);
});

test('whoever is taken off the stage is seen no more, and goes on watching', async () => {
  await performer.page.getByTestId('guest-put-off').click();
  await viewer.page.locator(tile).waitFor({ state: 'detached' });
  await guest.page.getByTestId('stage-seat').waitFor({ state: 'detached' });
  await untilPlaying(guest.page, 'webrtc');
  await framesAdvance(viewer.page, 15);
});
