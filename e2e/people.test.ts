// People to each other, in real browsers: a profile, following, keeping order in a chat, and who is not heard.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { goLive, type PersonInBrowser, passAgeGate, register } from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { untilPlaying } from '../testing/video.ts';

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

/** A picture as a phone would send it: drawn by the page itself. */
async function pictureOf(person: PersonInBrowser): Promise<Buffer> {
  const base64 = await person.page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = 900;
    canvas.height = 600;
    canvas.getContext('2d')?.fillRect(0, 0, 450, 600);
    return canvas.toDataURL('image/jpeg').split(',')[1] ?? '';
  });
  return Buffer.from(base64, 'base64');
}

async function say(person: PersonInBrowser, words: string): Promise<void> {
  await person.page.getByTestId('chat-input').fill(words);
  await person.page.getByTestId('chat-send').click();
}
const lineOf = (person: PersonInBrowser, words: string) =>
  person.page.getByTestId('chat-line').filter({ hasText: words });

test('a performer says who they are, with a picture, and announces a stream', async () => {
  await register(performer, 'performer');
  streamId = await goLive(performer, 'Evening set');
  const page = await performer.context.newPage();
  await page.goto('/settings/profile');
  await page.getByTestId('display-name').fill('Meera Rao');
  await page.getByTestId('bio').fill('Piano at night.');
  const buffer = await pictureOf(performer);
  await page
    .getByTestId('avatar-file')
    .setInputFiles({ name: 'me.jpg', mimeType: 'image/jpeg', buffer });
  await page.getByTestId('remove-avatar').waitFor();
  await page.getByTestId('save-profile').click();
  await page.getByTestId('profile-saved').waitFor();
  await page.goto('/studio/schedule');
  await page.getByTestId('schedule-title').fill('Late piano');
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  await page.getByTestId('schedule-starts').fill(`${tomorrow}T21:30`);
  await page.getByTestId('schedule-save').click();
  await page.getByTestId('schedule-entry').filter({ hasText: 'Late piano' }).waitFor();
  await page.close();
});

test('a guest finds the profile by its address, with what is live and what comes', async () => {
  const { page } = guest;
  await page.goto(`/@${performer.username}`);
  await page.getByTestId('profile-name').filter({ hasText: 'Meera Rao' }).waitFor();
  await page.getByTestId('profile-schedule').filter({ hasText: 'Late piano' }).waitFor();
  const face = page.locator('.profile-head .avatar img');
  await face.waitFor();
  const isDrawn = await face.evaluate(
    (image) => image instanceof HTMLImageElement && image.naturalWidth === 512,
  );
  expect(isDrawn).toBe(true);
  await page.getByTestId('profile-live').click();
  await passAgeGate(guest);
  await page.getByTestId('stream-title').waitFor();
});

test('a fan follows from the watch page, and the profile counts them', async () => {
  await register(fan, 'fan');
  const { page } = fan;
  await page.goto(`/watch/${streamId}`);
  await page.getByTestId('follow').click();
  await page.locator('[data-testid="follow"][aria-pressed="true"]').waitFor();
  await page.getByTestId('watch-host').click();
  await page.getByTestId('profile-followers').filter({ hasText: '1 follower' }).waitFor();
  await page.goBack();
});

test('the performer takes a line away and silences who said it, from the line itself', async () => {
  await say(fan, 'something rude');
  await lineOf(guest, 'something rude').waitFor({ state: 'attached' });
  const { page } = performer;
  await lineOf(performer, 'something rude').getByTestId('chat-name').click();
  await page.getByTestId('line-delete').click();
  for (const person of [performer, fan, guest]) {
    await lineOf(person, 'something rude').waitFor({ state: 'detached' });
  }
  await say(fan, 'something else');
  await lineOf(performer, 'something else').getByTestId('chat-name').click();
  await page.getByTestId('line-silence').click();
  await page.getByTestId('line-silence').waitFor({ state: 'detached' });
  await say(fan, 'am I heard?');
  await fan.page.getByText('You cannot talk here at present.').waitFor();
  expect(await lineOf(guest, 'am I heard?').count()).toBe(0);
});

test('whom a fan mutes is not heard by the fan alone, until they let them go', async () => {
  await say(performer, 'welcome everybody');
  await lineOf(fan, 'welcome everybody').getByTestId('chat-name').click();
  await fan.page.getByTestId('line-mute').click();
  await lineOf(fan, 'welcome everybody').waitFor({ state: 'detached' });
  expect(await lineOf(guest, 'welcome everybody').count()).toBe(1);
  await fan.page.goto('/settings/people');
  await fan.page.getByTestId('mute-let-go').click();
  await fan.page.getByTestId('mute-person').waitFor({ state: 'detached' });
  await fan.page.goto(`/watch/${streamId}`);
  await lineOf(fan, 'welcome everybody').waitFor();
});

test('whom the performer blocks is put out while they watch, and finds no profile', async () => {
  const watching = fan.page.locator('[data-testid="player"]');
  await watching.waitFor();
  await lineOf(performer, 'something else').getByTestId('chat-name').click();
  await performer.page.getByTestId('line-block').click();
  await fan.page
    .getByTestId('watch-gate')
    .filter({ hasText: 'closed this stream to you' })
    .waitFor();
  await fan.page.goto(`/@${performer.username}`);
  await fan.page.getByText('There is nothing at this address').first().waitFor();
});

test('what is said of a stream is changed while it is on air', async () => {
  const { page } = performer;
  await page.getByTestId('edit-stream').click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByTestId('stream-title-input').fill('Evening set, part two');
  await dialog.getByTestId('stream-more').locator('summary').click();
  await dialog.getByTestId('stream-tags-input').fill('piano, #Jazz');
  await dialog.getByTestId('stream-save').click();
  await dialog.waitFor({ state: 'detached' });
  await guest.page.reload();
  const tags = guest.page.getByTestId('stream-tags');
  await tags.waitFor();
  expect(await tags.textContent()).toBe('#piano#jazz');
});

test('a stream that is for followers from now on puts others out, and goes on', async () => {
  const { page } = performer;
  const pick = async (visibility: string): Promise<void> => {
    await page.getByTestId('edit-stream').click();
    const dialog = page.locator('dialog[open]');
    await dialog.getByTestId('stream-visibility').selectOption(visibility);
    await dialog.getByTestId('stream-save').click();
    await dialog.waitFor({ state: 'detached' });
  };
  await untilPlaying(guest.page, 'webrtc');
  await pick('followers');
  await guest.page.getByTestId('watch-gate').filter({ hasText: 'follow' }).waitFor();
  const follower = await product.openWindow();
  await register(follower, 'follower');
  await follower.page.goto(`/watch/${streamId}`);
  await follower.page.getByTestId('watch-gate').filter({ hasText: 'follow' }).waitFor();
  // Following opens the gate; nothing has to be loaded anew.
  await follower.page.getByTestId('follow').click();
  await untilPlaying(follower.page, 'webrtc');
  await follower.context.close();
  await pick('public');
  await guest.page.reload();
  // The performer had to show a ticket as well, and sends again.
  await untilPlaying(guest.page, 'webrtc');
  expect(await page.getByTestId('on-air').getAttribute('data-phase')).toBe('live');
});

test('no page has complained but of what was refused on purpose', () => {
  const unexpected = [performer, fan, guest].flatMap(({ complaints }) =>
    complaints.filter((line) => !/status of (403|404)/.test(line)),
  );
  expect(unexpected).toEqual([]);
});
