// People in browsers: what somebody does on our pages, by the controls they would use.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  devices,
  type Page,
} from 'playwright';
import { linkPages } from '#contract';
import { type LadderName, ladders } from '../client/media/ladders.ts';
import { totpAt, totpStepEnd } from '../edge/services/totp.ts';
import type { Stack } from '../scripts/launch/stack.ts';
import { createMailboxClient, type MailboxClient } from '../scripts/local/mailbox/client.ts';
import { installClockCamera } from './pixel-clock.ts';

const totpStepMs = 30_000;
/** From this amount on the page asks once more before it sends a tip. */
const confirmFromTokens = 1_000;

/** A phone, as a browser sees it. */
export const phone: BrowserContextOptions = {
  ...devices['Pixel 7'],
  viewport: { width: 390, height: 844 },
};

export interface PersonInBrowser {
  /** Where everything that is mailed comes. */
  mailbox: MailboxClient;
  context: BrowserContext;
  page: Page;
  username: string;
  /** Everything the page complained about; a clean run leaves it empty. */
  complaints: string[];
}

/** A new browser window of nobody yet; on a desktop, unless another device is named. */
export async function openWindow(
  browser: Browser,
  { urls, secrets }: Pick<Stack, 'urls' | 'secrets'>,
  device: BrowserContextOptions = { viewport: { width: 1280, height: 800 } },
): Promise<PersonInBrowser> {
  const context = await browser.newContext({
    baseURL: urls.app,
    permissions: ['camera', 'microphone'],
    ...device,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  const mailbox = createMailboxClient({ url: urls.mailbox ?? '', apiKey: secrets.mailApiKey });
  return { mailbox, context, page, username: '', complaints };
}

/** Picks one of several alternatives, which are radio buttons inside their labels. */
export async function choose(page: Page, testId: string): Promise<void> {
  await page.getByTestId(testId).locator('xpath=ancestor-or-self::label').click();
}

/** Everybody's. */
export const password = 'a long enough password';
export const emailOf = (username: string) => `${username}@example.com`;
const linkPattern = /^https?:\/\/\S+$/m;
const mailTimeoutMs = 10_000;

/** The newest link to this page that was mailed to somebody. */
export async function mailedLink(
  { mailbox }: Pick<PersonInBrowser, 'mailbox'>,
  to: string,
  pathname: string,
): Promise<URL> {
  const deadline = Date.now() + mailTimeoutMs;
  for (;;) {
    const links = (await mailbox.list(to))
      .map(({ text }) => linkPattern.exec(text)?.[0])
      .map((link) => (link ? new URL(link) : null));
    const found = links.find((link) => link?.pathname === pathname);
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`no link to ${pathname} was mailed to ${to}`);
    await delay(100);
  }
}

/** What requests in the name of somebody who is logged in carry. */
export async function accessTokenOf({
  context,
}: Pick<PersonInBrowser, 'context'>): Promise<string> {
  const { accessToken } = await (await context.request.post('/v1/auth/refresh')).json();
  return accessToken;
}

/** Registers by the form, and opens the link that is mailed then. */
export async function register(person: PersonInBrowser, prefix: string): Promise<void> {
  await registerOnly(person, prefix);
  const { hash } = await mailedLink(person, emailOf(person.username), linkPages.verify);
  const answer = await person.context.request.post('/v1/auth/email/verification', {
    headers: { authorization: `Bearer ${await accessTokenOf(person)}` },
    data: { token: hash.slice(1) },
  });
  if (!answer.ok()) throw new Error(`the address is not confirmed: ${await answer.text()}`);
}

/** Registers by the form. */
export async function registerOnly(person: PersonInBrowser, prefix: string): Promise<void> {
  const { page } = person;
  const username = `${prefix}${randomUUID().replaceAll('-', '').slice(0, 10)}`;
  await page.goto('/register');
  await page.getByTestId('email').fill(emailOf(username));
  await page.getByTestId('username').fill(username);
  await page.getByTestId('password').fill(password);
  await page.getByTestId('date-of-birth').fill('1992-04-17');
  await page.getByTestId('country').selectOption('IN');
  await page.getByTestId('register-submit').click();
  const account = page.getByTestId('header-account');
  await account.waitFor().catch(async (error: unknown) => {
    const said = await page.locator('main').textContent();
    throw new Error(`nobody is registered, and the page says: ${said}`, { cause: error });
  });
  person.username = username;
}

/** An authenticator app, and the recovery codes that came with it. */
export interface Authenticator {
  /** A code that was not shown before; waits for the next one when it has to. */
  nextCode(): Promise<string>;
  recoveryCodes: string[];
}

/** Each code is taken once; that of the next half minute is taken as well. */
function createTotpApp(secret: string): () => Promise<string> {
  let shownUntil = new Date(0);
  return async () => {
    const now = new Date();
    const at = shownUntil > now ? shownUntil : now;
    const tooEarlyMs = at.getTime() - totpStepMs - now.getTime();
    if (tooEarlyMs > 0) await delay(tooEarlyMs);
    shownUntil = totpStepEnd(at);
    return totpAt(secret, at);
  };
}

/** Adds an authenticator app on the security page; it has shown a code in this session from then on. */
export async function addAuthenticator({ page }: PersonInBrowser): Promise<Authenticator> {
  await page.goto('/settings/security');
  await page.getByTestId('app-add').click();
  await page.getByTestId('password').fill(password);
  await page.getByTestId('app-next').click();
  const secret = await page.getByTestId('app-secret').getAttribute('data-secret');
  const nextCode = createTotpApp(secret ?? '');
  await page.getByTestId('code').fill(await nextCode());
  await page.getByTestId('app-next').click();
  const shown = page.getByTestId('recovery-codes');
  await shown.waitFor();
  const recoveryCodes = await shown.locator('code').allTextContents();
  await page.getByTestId('codes-kept').check();
  await page.getByTestId('codes-done').click();
  await page.locator('[data-testid="app-card"][data-on="true"]').waitFor();
  return { nextCode, recoveryCodes };
}

/** Lets a guest pass the age gate without its page; `origin` is for windows that know of no product. */
export async function admitGuest(
  { context }: Pick<PersonInBrowser, 'context'>,
  origin = '',
): Promise<void> {
  const data = { country: 'IN', dateOfBirth: '1992-04-17' };
  const answer = await context.request.post(`${origin}/v1/guests`, { data });
  if (!answer.ok()) throw new Error(`a guest is not let in: ${await answer.text()}`);
}

/** From the next load on, this browser encodes no H264. */
export async function withoutH264({ context }: Pick<PersonInBrowser, 'context'>): Promise<void> {
  await context.addInitScript(() => {
    const native = RTCRtpSender.getCapabilities.bind(RTCRtpSender);
    RTCRtpSender.getCapabilities = (kind) => {
      const known = native(kind);
      return (
        known && {
          ...known,
          codecs: known.codecs.filter(({ mimeType }) => mimeType.toLowerCase() !== 'video/h264'),
        }
      );
    };
  });
}

/** Says how old they are where a stream asks for it. */
export async function passAgeGate({ page }: PersonInBrowser): Promise<void> {
  await page.getByTestId('gate-date-of-birth').fill('1992-04-17');
  await page.getByTestId('gate-country').selectOption('IN');
  await page.getByTestId('gate-submit').click();
  await page.getByTestId('watch-gate').waitFor({ state: 'detached' });
}

/** How a performer goes live, where it is not as usual. */
export interface Performance {
  picture?: LadderName;
  /** Of noise in the picture, which make it hard to encode. */
  specks?: number;
  /** What else is to be set in the studio. */
  setUp?: () => Promise<void>;
}

/** Opens the studio, with the pixel clock as camera, and goes live. Answers the stream's id. */
export async function goLive(
  person: PersonInBrowser,
  title: string,
  { picture = '720p30', specks = 0, setUp }: Performance = {},
): Promise<string> {
  const { page } = person;
  const { width, height, fps: framesPerSecond } = ladders[picture];
  await installClockCamera(page, { width, height, framesPerSecond, specks });
  await page.goto('/studio');
  const become = page.getByTestId('become-performer');
  await become.or(page.getByTestId('stream-title-input')).first().waitFor();
  if (await become.isVisible()) await become.click();
  await choose(page, `ladder-${picture}`);
  await page.getByTestId('stream-title-input').fill(title);
  await setUp?.();
  const created = page.waitForResponse(
    (response) => /\/v1\/streams\/[0-9a-f-]+\/start$/.test(response.url()) && response.ok(),
  );
  await page.getByTestId('go-live').click();
  const { id } = (await (await created).json()) as { id: string };
  await page.locator('[data-testid="on-air"][data-phase="live"]').waitFor({ timeout: 30_000 });
  return id;
}

/** Buys a package, the smallest unless its tokens are said, through the gateway's checkout. */
export async function buyTokens(person: PersonInBrowser, tokens = 50): Promise<void> {
  const { page } = person;
  await page.goto('/wallet');
  await page.getByTestId(`buy-${tokens}`).click();
  const checkout = page.frameLocator('iframe');
  await checkout.locator('#pay:enabled').click();
  await page.getByTestId('purchase-done').waitFor();
}

export async function balanceOf(person: PersonInBrowser): Promise<number> {
  await person.page.goto('/wallet');
  const balance = person.page.locator('[data-testid="wallet-balance"]:not([data-balance=""])');
  return Number(await balance.getAttribute('data-balance'));
}

/** Sends a tip by the controls of the watch page that is open. Answers the status of the edge's answer. */
export async function sendTip(
  { page }: PersonInBrowser,
  amountTokens: number,
  message = '',
): Promise<number> {
  await page.getByTestId('tip-custom').fill(String(amountTokens));
  await page.getByTestId('tip-message').fill(message);
  const answered = page.waitForResponse((response) => response.url().endsWith('/v1/tips'));
  await page.getByTestId('tip-send').click();
  if (amountTokens >= confirmFromTokens) await page.getByTestId('tip-confirm').click();
  return (await answered).status();
}
