// The sandbox's Checkout in a real browser, opened from a page of another origin with a strict policy.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { pino } from 'pino';
import type { Browser, FrameLocator, Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startBrowser } from '../../../testing/browser.ts';
import { type ListeningServer, listenLocally } from '../http.ts';
import { type Sandbox, startSandbox } from './server.ts';
import { signed } from './webhook-receiver.ts';

const keyId = 'rzp_test_0123456789abcd';
const keySecret = 'a-key-secret-for-tests';

let browser: Browser;
let sandbox: Sandbox;
let shop: ListeningServer;
let orderId: string;

const shopScript = `
  globalThis.log = [];
  document.querySelector('button').addEventListener('click', () => {
    const checkout = new Razorpay({
      key: '${keyId}', amount: 59000, currency: 'INR', order_id: document.body.dataset.order,
      name: 'LivePanty', description: '500 tokens', theme: { color: '#c2185b' },
      prefill: { email: 'asha@example.com', contact: '+919876543210' },
      handler: (answer) => log.push({ type: 'handler', answer }),
      modal: { ondismiss: () => log.push({ type: 'dismiss' }) },
    });
    checkout.on('payment.failed', ({ error }) => log.push({ type: 'failed', error }));
    checkout.open();
  });`;

function serveShop(path: string, response: ServerResponse): void {
  if (path === '/shop.js') {
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(shopScript);
    return;
  }
  response
    .writeHead(200, {
      'content-type': 'text/html',
      'content-security-policy': `default-src 'none'; script-src 'self' ${sandbox.url}; frame-src ${sandbox.url}; style-src 'self'`,
    })
    .end(`<!doctype html><html lang="en"><title>Shop</title><body data-order="${orderId}">
      <main><h1>Shop</h1><button>Buy</button></main>
      <script src="${sandbox.url}/v1/checkout.js"></script><script src="/shop.js"></script>`);
}

beforeAll(async () => {
  browser = await startBrowser();
  sandbox = await startSandbox({
    port: 0,
    keyId,
    keySecret,
    webhookSecret: 'a-webhook-secret-for-tests',
    webhookUrl: null,
    stateFile: null,
    log: pino({ level: 'silent' }),
  });
  shop = await listenLocally((request, response) => serveShop(request.url ?? '/', response), 0);
});

afterAll(async () => {
  await browser.close();
  await shop.close();
  await sandbox.close();
});

beforeEach(async () => {
  const answer = await fetch(`${sandbox.url}/v1/orders`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ amount: 59_000, currency: 'INR', receipt: randomUUID() }),
  });
  orderId = (await answer.json()).id;
});

async function openCheckout(): Promise<{ page: Page; frame: FrameLocator; complaints: string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`http://127.0.0.1:${shop.port}/`);
  await page.getByRole('button', { name: 'Buy' }).click();
  const frame = page.frameLocator('iframe');
  await frame.getByRole('button', { name: 'Pay ₹590.00' }).waitFor();
  return { page, frame, complaints };
}

const log = (page: Page) => page.evaluate(() => Reflect.get(globalThis, 'log'));

test('paying hands the shop a signature that verifies, under a strict policy', async () => {
  const { page, frame, complaints } = await openCheckout();
  await frame.getByLabel('Netbanking').check();
  await frame.getByLabel('Bank', { exact: true }).selectOption('SBIN');
  await frame.getByRole('button', { name: 'Pay ₹590.00' }).click();
  await frame.getByText('Payment successful').waitFor();
  await page.locator('iframe').waitFor({ state: 'detached' });
  const [{ answer }] = await log(page);
  expect(answer).toEqual({
    razorpay_order_id: orderId,
    razorpay_payment_id: expect.stringMatching(/^pay_/),
    razorpay_signature: signed(`${orderId}|${answer.razorpay_payment_id}`, keySecret),
  });
  expect(complaints).toEqual([]);
  // The page under it can be used again, and has the focus back.
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Buy');
  await page.close();
});

test('a wallet can be chosen, and the payment says which', async () => {
  const { page, frame, complaints } = await openCheckout();
  await frame.getByLabel('Wallet').check();
  await frame.getByLabel('Provider').selectOption('phonepe');
  await frame.getByRole('button', { name: 'Pay ₹590.00' }).click();
  await page.locator('iframe').waitFor({ state: 'detached' });
  const payments = await fetch(`${sandbox.url}/v1/orders/${orderId}/payments`, {
    headers: { authorization: `Basic ${btoa(`${keyId}:${keySecret}`)}` },
  });
  expect((await payments.json()).items).toMatchObject([
    { method: 'wallet', wallet: 'phonepe', status: 'captured' },
  ]);
  expect(complaints).toEqual([]);
  await page.close();
});

test('a failed payment is told to the shop, and can be tried again', async () => {
  const { page, frame } = await openCheckout();
  await frame.getByRole('button', { name: 'Fail this payment' }).click();
  await frame
    .getByRole('alert')
    .getByText(/declined by the bank/)
    .waitFor();
  expect(await log(page)).toMatchObject([
    {
      type: 'failed',
      error: { reason: 'payment_failed', metadata: { order_id: orderId } },
    },
  ]);
  await frame.getByRole('button', { name: 'Pay ₹590.00' }).click();
  await page.locator('iframe').waitFor({ state: 'detached' });
  expect((await log(page)).at(-1)).toMatchObject({ type: 'handler' });
  await page.close();
});

test('cancelling, by button or by Escape, dismisses and pays nothing', async () => {
  const { page, frame } = await openCheckout();
  await frame.getByRole('button', { name: 'Cancel the payment' }).click();
  await page.locator('iframe').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Buy' }).click();
  await page.frameLocator('iframe').getByRole('button', { name: 'Pay ₹590.00' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('iframe').waitFor({ state: 'detached' });
  expect(await log(page)).toEqual([{ type: 'dismiss' }, { type: 'dismiss' }]);
  await page.close();
});

test('a message that is not from the gateway is not believed', async () => {
  const { page } = await openCheckout();
  await page.evaluate(() => {
    const forged = { type: 'success', data: { razorpay_payment_id: 'pay_forged' } };
    const frame = document.querySelector('iframe');
    const channel = new URLSearchParams(new URL(frame?.src ?? '').hash.slice(1)).get('channel');
    window.postMessage({ ...forged, channel }, '*');
    frame?.contentWindow?.postMessage({ ...forged, channel }, '*');
    return new Promise((resolve) => setTimeout(resolve));
  });
  expect(await log(page)).toEqual([]);
  expect(await page.locator('iframe').count()).toBe(1);
  await page.close();
});
