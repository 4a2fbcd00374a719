// How people log in, in a real browser: an authenticator app, recovery codes, passkeys, and devices.
import type { CDPSession } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Authenticator,
  addAuthenticator,
  type PersonInBrowser,
  register,
} from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';

const password = 'a long enough password';

let product: Product;
let person: PersonInBrowser;
let app: Authenticator;

beforeAll(async () => {
  product = await startProduct();
  person = await product.openWindow();
});
afterAll(() => product?.close());

async function logOut({ page }: PersonInBrowser): Promise<void> {
  await page.goto('/account');
  await page.getByTestId('logout').click();
  await page.getByTestId('header-login').waitFor();
}

async function enterPassword({ page, username }: PersonInBrowser): Promise<void> {
  await page.goto('/login');
  await page.getByTestId('email').fill(`${username}@example.com`);
  await page.getByTestId('password').fill(password);
  await page.getByTestId('login-submit').click();
}

async function sendCode({ page }: PersonInBrowser, code: string): Promise<void> {
  await page.getByTestId('code').fill(code);
  await page.getByTestId('login-submit').click();
}

/** An authenticator that the browser has built in, with a finger that is always right. */
async function buildAuthenticatorIn({ context, page }: PersonInBrowser): Promise<CDPSession> {
  const devTools = await context.newCDPSession(page);
  await devTools.send('WebAuthn.enable');
  await devTools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
    },
  });
  return devTools;
}

/** What the browser writes down when the edge refuses something, which it does here on purpose. */
function takeRefusals({ complaints }: PersonInBrowser, status: number): number {
  const refusals = complaints.filter((line) => line.includes(`${status}`));
  complaints.splice(0, complaints.length, ...complaints.filter((line) => !refusals.includes(line)));
  return refusals.length;
}

test('somebody registers and adds an authenticator app, whose recovery codes are shown once', async () => {
  await register(person, 'careful');
  app = await addAuthenticator(person);
  expect(new Set(app.recoveryCodes).size).toBe(10);
  const { page } = person;
  expect(await page.getByTestId('codes-left').getAttribute('data-left')).toBe('10');
  await page.reload();
  await page.getByTestId('codes-left').waitFor();
  const shown = await page.content();
  for (const code of app.recoveryCodes) expect(shown).not.toContain(code);
});

test('the password alone opens nothing, a wrong code is told, and the right one logs in', async () => {
  const { page } = person;
  await logOut(person);
  await enterPassword(person);
  await sendCode(person, '000000');
  await page.getByText('This code is wrong, or was used').waitFor();
  expect(await page.getByTestId('header-account').count()).toBe(0);
  await sendCode(person, await app.nextCode());
  await page.getByTestId('header-account').waitFor();
  expect(takeRefusals(person, 401)).toBe(2);
});

test('a recovery code opens as well, once, and is counted', async () => {
  const { page } = person;
  await logOut(person);
  await enterPassword(person);
  await page.getByTestId('code-source').click();
  await sendCode(person, app.recoveryCodes[0] ?? '');
  await page.getByTestId('header-account').waitFor();
  await page.goto('/settings/security');
  await page.locator('[data-testid="codes-left"][data-left="9"]').waitFor();
  expect(takeRefusals(person, 401)).toBe(1);
});

test('what needs a second factor asks for one: declined nothing happens, shown it goes on', async () => {
  const { page } = person;
  await product.database.asOwner(
    "update sessions set second_factor_at = now() - interval '1 hour'",
  );
  await page.reload();
  const renew = async () => {
    await page.getByTestId('codes-renew').click();
    await page.getByTestId('confirm-yes').and(page.locator(':visible')).click();
  };
  await renew();
  await page.getByTestId('step-up-decline').click();
  await page.getByText('This was not done: it needs a second factor first.').waitFor();
  expect(await page.getByTestId('recovery-codes').count()).toBe(0);

  await renew();
  await page.getByTestId('code-source').click();
  await page.getByTestId('code').fill(app.recoveryCodes[1] ?? '');
  await page.getByTestId('step-up-confirm').click();
  await page.getByTestId('recovery-codes').waitFor();
  await page.getByTestId('codes-kept').check();
  await page.getByTestId('codes-done').click();
  await page.locator('[data-testid="codes-left"][data-left="10"]').waitFor();
  expect(takeRefusals(person, 403)).toBe(2);
});

test('a passkey is made, named, logs in by itself, and proves what needs a second factor', async () => {
  const { page } = person;
  const devTools = await buildAuthenticatorIn(person);
  await page.getByTestId('passkey-add').click();
  await page.getByTestId('password').fill(password);
  await page.getByTestId('passkey-make').click();
  await page.getByTestId('passkey').waitFor();
  await page.getByTestId('passkey-rename').click();
  await page.getByTestId('passkey-new-name').fill('The finger');
  await page.getByTestId('passkey-name-save').click();
  await page.getByTestId('passkey').filter({ hasText: 'The finger' }).waitFor();

  // This authenticator answers at once, so what the browser offers to fill in is taken without a press.
  await logOut(person);
  await page.goto('/login');
  await page.getByTestId('header-account').waitFor();

  await page.addInitScript(() => {
    Reflect.set(PublicKeyCredential, 'isConditionalMediationAvailable', async () => false);
  });
  await logOut(person);
  await page.goto('/login');
  await page.getByTestId('login-passkey').click();
  await page.getByTestId('header-account').waitFor();

  await product.database.asOwner(
    "update sessions set second_factor_at = now() - interval '1 hour'",
  );
  await page.goto('/settings/security');
  await page.getByTestId('passkey').filter({ hasText: 'last used' }).waitFor();
  await page.getByTestId('passkey-remove').click();
  await page.getByTestId('confirm-yes').and(page.locator(':visible')).click();
  await page.getByTestId('step-up-passkey').click();
  await page.getByTestId('passkey').waitFor({ state: 'detached' });
  expect(takeRefusals(person, 403)).toBe(1);
  await devTools.detach();
});

test('other devices are seen, and logged out from here', async () => {
  const { page, username } = person;
  const other = await product.openWindow();
  other.username = username;
  await enterPassword(other);
  await sendCode(other, await app.nextCode());
  await other.page.getByTestId('header-account').waitFor();

  await page.goto('/settings/security');
  const others = page.locator('[data-testid="device"][data-current="false"]');
  await others.first().waitFor();
  await page.getByTestId('devices-end-others').click();
  await others.first().waitFor({ state: 'detached' });
  expect(await page.getByTestId('device').count()).toBe(1);
  await other.page.reload();
  await other.page.getByTestId('header-login').waitFor();
});

test('no page has complained of anything else', () => {
  expect(person.complaints).toEqual([]);
});
