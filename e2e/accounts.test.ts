// Accounts, in real browsers: an address is confirmed by its mail, and a forgotten password is chosen anew.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkPages } from '#contract';
import {
  emailOf,
  mailedLink,
  type PersonInBrowser,
  phone,
  registerOnly,
} from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';

const before = 'a long enough password';
const next = `another one ${randomUUID()}`;

let product: Product;
let laptop: PersonInBrowser;
let handset: PersonInBrowser;
let email: string;

beforeAll(async () => {
  product = await startProduct();
  [laptop, handset] = [await product.openWindow(), await product.openWindow(phone)];
});
afterAll(() => product?.close());

async function logIn({ page }: PersonInBrowser, password: string): Promise<void> {
  await page.goto('/login');
  await page.getByTestId('email').fill(email);
  await page.getByTestId('password').fill(password);
  await page.getByTestId('login-submit').click();
}

test('whoever has registered is asked to confirm their address, and looks round until then', async () => {
  await registerOnly(laptop, 'asha');
  email = emailOf(laptop.username);
  await laptop.page.getByTestId('verify-bar').getByText(email).waitFor();
  await laptop.page.goto('/wallet');
  await laptop.page.getByTestId('buy-50').click();
  await laptop.page.getByText('Confirm your e-mail address first').first().waitFor();
  await laptop.page.getByTestId('verify-resend').click();
  await laptop.page.getByText('A new link is on its way').waitFor();
});

test('the mailed link confirms it, and its secret leaves the address bar', async () => {
  const { page } = laptop;
  const link = await mailedLink(laptop, email, linkPages.verify);
  await page.goto(link.href);
  await page.locator('[data-testid="link-state"][data-state="done"]').waitFor();
  expect(new URL(page.url()).hash).toBe('');
  await page.getByTestId('header-account').click();
  await page.getByTestId('page-account').waitFor();
  await expect.poll(() => page.getByTestId('verify-bar').count()).toBe(0);
});

test('a link that was used says so, and a browser of nobody asks to log in first', async () => {
  const link = await mailedLink(laptop, email, linkPages.verify);
  await handset.page.goto(link.href);
  await handset.page.getByText('Log in to your account in this browser first').waitFor();
  await laptop.page.goto(link.href);
  await laptop.page.locator('[data-testid="link-state"][data-state="over"]').waitFor();
  await laptop.page.getByText('used, or is too old').waitFor();
});

test('on another device a forgotten password is chosen anew, and the old session is out', async () => {
  const { page } = handset;
  await page.goto('/login');
  await page.getByTestId('forgot-password').click();
  await page.getByTestId('email').fill(email);
  await page.getByTestId('forgot-submit').click();
  await page.getByTestId('forgot-sent').waitFor();
  const link = await mailedLink(handset, email, linkPages.reset);
  await page.goto(link.href);
  await page.getByTestId('password').fill('password123');
  await page.getByTestId('reset-submit').click();
  await page.getByText('tried first').waitFor();
  await page.getByTestId('password').fill(next);
  await page.getByTestId('reset-submit').click();
  await page.getByTestId('reset-done').waitFor();

  // The laptop is nobody's any more, at its next request.
  await laptop.page.goto('/wallet');
  await laptop.page.getByTestId('gate-login').waitFor();
  await logIn(laptop, before);
  await laptop.page.getByText('E-mail or password is wrong').waitFor();
  await logIn(laptop, next);
  await laptop.page.getByTestId('header-account').waitFor();
});

test('a password is changed in the settings, with the present one', async () => {
  const { page } = laptop;
  await page.goto('/settings');
  await page.getByTestId('current-password').fill('not the present one');
  await page.getByTestId('new-password').fill(`${next} again`);
  await page.getByTestId('password-submit').click();
  await page.getByText('This is not your password').waitFor();
  await page.getByTestId('current-password').fill(next);
  await page.getByTestId('password-submit').click();
  await page.getByText('counts from now on').waitFor();
  await logIn(handset, `${next} again`);
  await handset.page.getByTestId('header-account').waitFor();
});

test('an account is closed, and had back by logging in', async () => {
  const { page } = laptop;
  await page.goto('/settings/data');
  await page.getByTestId('closing-password').fill(`${next} again`);
  const file = page.waitForEvent('download');
  await page.getByTestId('export-data').click();
  expect((await file).suggestedFilename()).toMatch(/^livepanty-[-0-9]+\.json$/);
  await page.getByTestId('close-account').click();
  await page.getByText('will be erased on').first().waitFor();
  await page.getByTestId('header-login').waitFor();
  // The handset is out at its next request, too.
  await handset.page.goto('/wallet');
  await handset.page.getByTestId('gate-login').waitFor();
  await logIn(laptop, `${next} again`);
  await page.getByTestId('login-keep').click();
  await page.getByTestId('header-account').waitFor();
});

test('no page has complained but of what was refused', () => {
  for (const { complaints } of [laptop, handset]) {
    expect(complaints.filter((line) => !/status of 4\d\d/.test(line))).toEqual([]);
  }
});
