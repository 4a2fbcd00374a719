// From tips to the bank, in real browsers: a viewer's own limit, what tips earn, its waiting time, and a payout.
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyBooks } from '#db';
import { createMoneyCast } from '../testing/money.ts';
import {
  addAuthenticator,
  balanceOf,
  buyTokens,
  choose,
  goLive,
  type PersonInBrowser,
  register,
  sendTip,
} from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';

/** What the fee policy of a new database pays for a token. */
const paisePerToken = 50;
const limitTokens = 10;
const tipTokens = 1_100;
const earnedPaise = (limitTokens + tipTokens) * paisePerToken;
const accountNumber = '50100234567891';
const pan = 'ABCPE1234F';
/** The rate for who has given a PAN. */
const tdsPaise = Math.floor((earnedPaise * 10) / 10_000);

let product: Product;
let performer: PersonInBrowser;
let careful: PersonInBrowser;
let fan: PersonInBrowser;
let streamId: string;

beforeAll(async () => {
  product = await startProduct();
  [performer, careful, fan] = [
    await product.openWindow(),
    await product.openWindow(),
    await product.openWindow(),
  ];
});
afterAll(() => product?.close());

async function openStream({ page }: PersonInBrowser): Promise<void> {
  await page.goto(`/watch/${streamId}`);
  await page.locator('[data-testid="tip-balance"]:not([data-balance=""])').waitFor();
}

/** Resolves when the page of earnings shows these sums; in paise. */
async function untilEarnings(page: Page, sums: Record<string, number>): Promise<void> {
  for (const [name, paise] of Object.entries(sums)) {
    await page
      .locator(`[data-testid="earnings-${name}"][data-paise="${paise}"]`)
      .waitFor({ timeout: 40_000 });
  }
}

test('a performer is live, and two fans buy tokens', async () => {
  await register(performer, 'performer');
  streamId = await goLive(performer, 'For the bank');
  await register(careful, 'careful');
  await buyTokens(careful);
  await register(fan, 'fan');
  await buyTokens(fan, 1_200);
  expect(await balanceOf(fan)).toBe(1_200);
});

test('a tip above one’s own daily limit is refused in plain words, and takes nothing', async () => {
  const { page } = careful;
  await page.goto('/wallet/limits');
  await page.getByTestId('limit-input-dayTokens').fill(String(limitTokens));
  await page.getByTestId('limits-save').click();
  await page.getByTestId('limits-saved').waitFor();

  await openStream(careful);
  expect(await sendTip(careful, limitTokens + 1)).toBe(409);
  const refusal = page.getByTestId('tip-refusal');
  await refusal.waitFor();
  expect(await refusal.textContent()).toContain(
    `This is more than the limit you have set yourself: ${limitTokens} tokens a day.`,
  );
  expect(await balanceOf(careful)).toBe(50);

  await openStream(careful);
  expect(await sendTip(careful, limitTokens)).toBe(201);
  expect(await sendTip(careful, 1)).toBe(409);
  await refusal.waitFor();
  expect(await refusal.textContent()).toContain(`of which ${limitTokens} are used`);
  await refusal.getByRole('link').click();
  await page
    .getByTestId('limit-dayTokens')
    .filter({ hasText: `${limitTokens} of ${limitTokens} tokens today` })
    .waitFor();
  expect(careful.complaints).toEqual(Array(2).fill(expect.stringContaining('409')));
});

test('what tips have brought waits, and the page says so', async () => {
  await openStream(fan);
  expect(await sendTip(fan, tipTokens, 'For the whole band')).toBe(201);
  const { page } = performer;
  await page.getByTestId('end-stream').click();
  await page.getByTestId('end-stream-confirm').click();
  await page.getByTestId('stream-summary').waitFor();
  await page.goto('/studio/earnings');
  await untilEarnings(page, { available: 0, pending: earnedPaise, moving: 0, paid: 0 });
  expect(await page.getByTestId('earned-in-all').getAttribute('data-paise')).toBe(
    String(earnedPaise),
  );
  const tips = page.getByTestId('earned-tip');
  expect(await tips.count()).toBe(2);
  expect(await tips.first().textContent()).toContain('For the whole band');
});

async function giveBankAccount({ page }: PersonInBrowser): Promise<void> {
  await page.getByTestId('payout-remedy').click();
  await choose(page, 'payout-kind-bank');
  await page.getByTestId('bank-holder').fill('Asha Rao');
  await page.getByTestId('bank-ifsc').fill('HDFC0000053');
  await page.getByTestId('bank-number').fill(accountNumber);
  await page.getByTestId('bank-number-again').fill(accountNumber);
  await page.getByTestId('account-save').click();
}

test('payment details need a second factor; who declines may ask again, who has none is led to where it is made', async () => {
  const { page } = performer;
  await giveBankAccount(performer);
  await page.getByTestId('step-up-none').waitFor();
  await page.getByTestId('step-up-decline').click();
  await page.getByTestId('proof-needed').waitFor();
  expect(await page.getByTestId('payout-account').count()).toBe(0);

  await page.getByTestId('proof-ask').click();
  await page.getByTestId('step-up-settings').click();
  await page.getByTestId('page-security').waitFor();
  await addAuthenticator(performer);
  const refused = expect.stringContaining('403');
  expect(performer.complaints.splice(0)).toEqual([refused, refused]);
  await page.goto('/studio/earnings');
});

test('payment details pass the bank’s check, and are shown as masks from then on', async () => {
  const { page } = performer;
  await giveBankAccount(performer);
  const account = page.getByTestId('payout-account');
  await account.and(page.locator('[data-state="pending"]')).waitFor();
  await page.getByTestId('pan-edit').click();
  await page.getByTestId('pan').fill(pan);
  await page.getByTestId('pan-save').click();
  await page.getByTestId('pan-mask').waitFor();
  expect(await page.getByTestId('pan-edit').count()).toBe(0);

  await account.and(page.locator('[data-state="verified"]')).waitFor({ timeout: 60_000 });
  expect(await account.textContent()).toContain(`HDFC ••••${accountNumber.slice(-4)}`);
  const shown = await page.content();
  expect(shown).not.toContain(accountNumber);
  expect(shown).not.toContain(pan);
});

test('when the waiting time is over a payout is asked for, paid, and shown with the bank’s reference', async () => {
  const { page } = performer;
  const { sandbox } = product;
  await createMoneyCast(product.database).ageEarnings();
  await product.hurryJob('earnings');
  await untilEarnings(page, { available: earnedPaise, pending: 0 });
  // The bank takes its time, so that its word comes by webhook.
  await sandbox.setFaults({ payouts: { holdRate: 1 } });

  await page.getByTestId('payout-all').click();
  const net = page.getByTestId('payout-net');
  expect(await net.getAttribute('data-paise')).toBe(String(earnedPaise - tdsPaise));
  await page.getByTestId('payout-ask').click();
  await page.getByTestId('payout-done').waitFor();
  await untilEarnings(page, { available: 0, moving: earnedPaise, paid: 0 });

  const initiated = () => sandbox.events(undefined, 'payout.initiated');
  await expect.poll(initiated, { timeout: 30_000 }).toHaveLength(1);
  const [sent] = await initiated();
  await sandbox.stepPayout(sent?.entityId ?? '', 'processed');
  await sandbox.settled();
  // Before the job runner asks the bank the next time.
  const paid = await product.database.asOwner('select state from payouts');
  expect(paid).toEqual([{ state: 'paid' }]);
  const [transfer] = await sandbox.transfers();
  expect(transfer).toMatchObject({
    amount: earnedPaise - tdsPaise,
    destination: `${accountNumber}@HDFC0000053`,
  });
  await untilEarnings(page, { available: 0, pending: 0, moving: 0, paid: earnedPaise });
  const payout = page.getByTestId('payout');
  expect(await payout.getAttribute('data-state')).toBe('paid');
  expect(await payout.textContent()).toContain(transfer?.utr);
  expect(await page.getByTestId('payout-done').count()).toBe(0);
  expect(await page.content()).not.toContain(accountNumber);
});

test('the books balance after all of this, and no page has complained', async () => {
  expect(await verifyBooks(product.database.db)).toEqual([]);
  expect([...performer.complaints, ...fan.complaints]).toEqual([]);
});
