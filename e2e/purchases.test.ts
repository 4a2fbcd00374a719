// Buying and giving back, in real browsers: UPI by code and by app, the papers of it, and a refund that staff approve.
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { encode } from 'uqr';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Order, RefundList, UpiIntent } from '#contract';
import { verifyBooks } from '#db';
import { choose, type PersonInBrowser, phone, register } from '../testing/people.ts';
import { type Product, startProduct } from '../testing/product.ts';
import { readModules } from '../testing/qr-code.ts';

let product: Product;
let buyer: PersonInBrowser;
/** Set in the buyer's page once it is loaded: gone after a reload. */
const mark = 'loadedOnce';

beforeAll(async () => {
  product = await startProduct();
  buyer = await product.openWindow();
  await register(buyer, 'buyer');
});
afterAll(() => product?.close());

/** Begins to buy a package by UPI. Answers what the edge has told the page of it. */
async function beginUpi(page: Page, tokens: number): Promise<{ order: Order; intent: UpiIntent }> {
  const ordered = page.waitForResponse(/\/v1\/payments\/orders$/);
  const begun = page.waitForResponse(/\/v1\/payments\/orders\/[0-9a-f-]+\/upi$/);
  await page.getByTestId(`buy-${tokens}`).click();
  return {
    order: Order.parse(await (await ordered).json()),
    intent: UpiIntent.parse(await (await begun).json()),
  };
}

async function untilBalance(page: Page, tokens: number): Promise<void> {
  await page.locator(`[data-testid="wallet-balance"][data-balance="${tokens}"]`).waitFor();
}

/** Rupees as a page writes them. */
const rupees = (paise: number) => `₹${(paise / 100).toFixed(paise % 100 === 0 ? 0 : 2)}`;

/** Saves a paper of the invoices' page by its button. */
async function save(page: Page, number: string, format: 'html' | 'pdf') {
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: `Save ${number} as ${format.toUpperCase()}` }).click();
  const download = await saved;
  const name = download.suggestedFilename();
  expect(name).toBe(`${number.replaceAll('/', '-')}.${format}`);
  return { name, content: await readFile(await download.path()) };
}

let bought: { order: Order; intent: UpiIntent };

test('on a desktop the code is scanned and paid, and the balance grows without a reload', async () => {
  const { page } = buyer;
  await page.goto('/wallet');
  await untilBalance(page, 0);
  await page.evaluate((name) => Reflect.set(window, name, true), mark);
  await choose(page, 'pay-way-upi-scan');
  bought = await beginUpi(page, 50);

  const { data, size } = encode(bought.intent.link, { ecc: 'M', border: 0 });
  expect(await readModules(page.getByTestId('qr-code'), { size, rim: 4 })).toEqual(data);

  await product.sandbox.approve(bought.intent.gatewayPaymentId, 'buyer@okaxis');
  await page.getByTestId('purchase-done').waitFor();
  await untilBalance(page, bought.order.tokens);
  const { tokens, amountPaise } = bought.order;
  await page.getByTestId('give-back').waitFor();
  expect(await page.getByTestId('returnable').textContent()).toBe(
    `${tokens} of ${tokens} tokens unspent, ${rupees(amountPaise)} comes back`,
  );
});

test('the purchase stands in the statement', async () => {
  const { page } = buyer;
  await page.getByTestId('wallet-statement').click();
  const rows = page.getByTestId('statement').getByTestId('transaction');
  await rows.first().waitFor();
  expect(await rows.count()).toBe(1);
  expect(await rows.getAttribute('data-kind')).toBe('purchase');
  expect(await rows.textContent()).toContain(`+${bought.order.tokens}`);
});

test('its invoice can be kept as a page and as a PDF', async () => {
  const { page } = buyer;
  await page.getByTestId('wallet-invoices').click();
  const row = page.getByTestId('invoice');
  await row.waitFor();
  expect(await row.textContent()).toContain(rupees(bought.order.amountPaise));
  const number = (await row.locator('b').first().textContent()) ?? '';
  const day = (await row.locator('time').textContent()) ?? '';

  const html = await save(page, number, 'html');
  const paper = await buyer.context.newPage();
  await paper.setContent(html.content.toString());
  for (const text of [
    'Tax invoice',
    number,
    day,
    buyer.username,
    bought.intent.gatewayPaymentId,
    `₹${(bought.order.amountPaise / 100).toFixed(2)}`,
  ]) {
    await paper.getByText(text).first().waitFor();
  }
  await paper.close();

  const pdf = await save(page, number, 'pdf');
  expect(pdf.content.subarray(0, 5).toString()).toBe('%PDF-');
  expect(await page.evaluate((name) => Reflect.get(window, name), mark)).toBe(true);
});

test('on a phone there is a link for each UPI app, with the amount and the reference of the order', async () => {
  const person = await product.openWindow(phone);
  const { page, context, complaints } = person;
  await register(person, 'phone');
  await page.goto('/wallet');
  const { order, intent } = await beginUpi(page, 100);
  const dialog = page.getByTestId('upi-dialog');
  await dialog.getByTestId('upi-open').waitFor();

  const links = await dialog
    .locator('a')
    .evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''));
  const addresses = links.map((link) => new URL(link));
  expect(addresses.map(({ protocol }) => protocol)).toEqual([
    'upi:',
    'gpay:',
    'phonepe:',
    'paytmmp:',
  ]);
  for (const { searchParams } of addresses) {
    expect(Object.fromEntries(searchParams)).toMatchObject({
      am: (order.amountPaise / 100).toFixed(2),
      cu: 'INR',
      tr: intent.gatewayPaymentId.replace('pay_', ''),
    });
  }
  // Nothing of it is wider than the phone.
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);

  const { payment } = await product.sandbox.approve(intent.gatewayPaymentId);
  expect(payment.order_id).toBe(order.gatewayOrderId);
  await page.getByTestId('purchase-done').waitFor();
  await untilBalance(page, order.tokens);
  expect(complaints).toEqual([]);
  await context.close();
});

test('unspent tokens are given back: staff approve, the bank confirms, and a credit note is there', async () => {
  const { sandbox, logStaffIn } = product;
  const { page } = buyer;
  const tokens = 20;
  const { order, intent } = bought;
  const paise = (order.amountPaise * tokens) / order.tokens;
  // The bank takes its time, so that its word comes by webhook.
  await sandbox.setFaults({ refunds: { holdRate: 1 } });

  await page.getByTestId('wallet-statement').click();
  await page.getByTestId('give-back').click();
  await choose(page, 'give-back-some');
  await page.getByTestId('give-back-tokens').fill(String(tokens));
  await page.getByTestId('give-back-reason').fill('Bought the wrong package');
  await page.getByTestId('give-back-send').click();
  expect(await page.getByTestId('give-back-done').textContent()).toContain(rupees(paise));
  await page.getByTestId('give-back-close').click();
  await untilBalance(page, order.tokens - tokens);
  const row = page.locator('[data-testid="transaction"][data-kind="refund"]');
  await row.waitFor();
  expect(await row.textContent()).toContain(`−${tokens}`);

  const staff = await logStaffIn();
  const asked = RefundList.parse(await staff('GET', '/admin/refunds?state=requested'));
  expect(asked.refunds).toMatchObject([
    { gatewayPaymentId: intent.gatewayPaymentId, tokens, amountPaise: paise },
  ]);
  await staff('POST', `/admin/refunds/${asked.refunds[0]?.id}/decision`, { approve: true });

  const created = () => sandbox.events(intent.gatewayPaymentId, 'refund.created');
  await expect.poll(created, { timeout: 30_000 }).toHaveLength(1);
  const [sent] = await created();
  await sandbox.endRefund(sent?.entityId ?? '', 'processed');
  await sandbox.settled();
  await page.getByTestId('wallet-invoices').click();
  await page.locator('[data-testid="refund"][data-state="processed"]').waitFor();

  const note = page.getByTestId('invoice').filter({ hasText: 'Credit note' });
  expect(await note.textContent()).toContain(rupees(paise));
  const number = (await note.locator('b').first().textContent()) ?? '';
  const pdf = await save(page, number, 'pdf');
  expect(pdf.content.subarray(0, 5).toString()).toBe('%PDF-');
  await page.getByTestId('wallet-statement').click();
  await page
    .locator('[data-testid="transaction"][data-kind="purchase"]')
    .filter({ hasText: 'Paid back' })
    .waitFor();
  await untilBalance(page, order.tokens - tokens);
});

test('the books balance after all of this, and no page has complained', async () => {
  expect(await verifyBooks(product.database.db)).toEqual([]);
  expect(buyer.complaints).toEqual([]);
});
