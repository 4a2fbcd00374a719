// The page of an invoice: complete, escaped, under a strict policy, and as wide as its screen.
import { createHash } from 'node:crypto';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser } from '../../testing/browser.ts';
import { creditNote, hostile, invoice, onCreditNote, onInvoice } from '../testing/invoices.ts';
import { invoiceHtml, invoiceStyleHash } from './invoice-html.ts';

const htmlBytesMax = 12_000;
/** 210 mm less the margins of the style. */
const a4InnerPixels = 688;

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
});

/** Opens a page as the route sends it: with a policy that lets nothing but its own style pass. */
async function open(html: string, width: number) {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  const faults: string[] = [];
  page.on('console', (message) => faults.push(message.text()));
  page.on('dialog', (dialog) => {
    faults.push(dialog.message());
    void dialog.dismiss();
  });
  await page.route('**/*', (route) => {
    if (!route.request().url().endsWith('/invoice')) {
      faults.push(route.request().url());
      return route.abort();
    }
    const policy = `default-src 'none'; style-src ${invoiceStyleHash}`;
    return route.fulfill({
      contentType: 'text/html; charset=utf-8',
      headers: { 'content-security-policy': policy },
      body: html,
    });
  });
  await page.goto('http://livepanty.test/invoice');
  return { page, faults };
}

test('everything that rules 46 and 53 ask for is on it', async () => {
  for (const [document, texts] of [
    [invoice, onInvoice],
    [creditNote, onCreditNote],
  ] as const) {
    const { page } = await open(invoiceHtml(document), 1280);
    const visible = await page.evaluate('document.body.innerText');
    for (const text of texts) expect(visible).toContain(text);
    await page.close();
  }
});

test('the style’s hash is the one that is exported', () => {
  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(invoiceHtml(invoice)) ?? [];
  const hash = createHash('sha256').update(style).digest('base64');
  expect(invoiceStyleHash).toBe(`'sha256-${hash}'`);
});

test('hostile names stay text, and nothing is fetched or run', async () => {
  const html = invoiceHtml(hostile);
  expect(html).not.toMatch(/<script|<img|<b>0|<i>/);
  expect(html.match(/<style|<\/style/g)).toHaveLength(2);
  const { page, faults } = await open(html, 1280);
  expect(await page.evaluate('document.body.innerText')).toContain('<script>alert(2)</script>');
  expect(faults).toEqual([]);
  await page.close();
});

test('on a phone, a desktop and paper nothing is wider than the page, and the style applies', async () => {
  const media = [
    ['screen', 320],
    ['screen', 390],
    ['screen', 1280],
    ['print', a4InnerPixels],
  ] as const;
  for (const document of [invoice, creditNote, hostile]) {
    for (const [medium, width] of media) {
      const { page, faults } = await open(invoiceHtml(document), width);
      await page.emulateMedia({ media: medium });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      const background = "getComputedStyle(document.querySelector('main')).backgroundColor";
      expect(await page.evaluate(background)).toBe('rgb(255, 255, 255)');
      expect(faults).toEqual([]);
      await page.close();
    }
  }
});

test('the same document is the same page, and a small one', () => {
  expect(invoiceHtml(structuredClone(invoice))).toBe(invoiceHtml(invoice));
  expect(invoiceHtml(creditNote).length).toBeLessThan(htmlBytesMax);
});
