// The PDF of an invoice: complete, readable in every script it can write, small, and always the same bytes.
import { decodePDFRawStream, PDFDocument, PDFRawStream } from '@cantoo/pdf-lib';
import { extractText, getMeta } from 'unpdf';
import { expect, test } from 'vitest';
import { loadInvoiceFonts } from '../runtime/invoice-font-files.ts';
import { creditNote, hostile, invoice, onCreditNote, onInvoice } from '../testing/invoices.ts';
import type { InvoiceDocument } from './invoice.ts';
import { invoicePdf } from './invoice-pdf.ts';

const pdfBytesMax = 24_000;
const fontBytesMax = 400_000;
const fonts = await loadInvoiceFonts();

async function pagesOf(bytes: Uint8Array): Promise<string[]> {
  const { text } = await extractText(bytes.slice());
  return text.map((page) => page.replace(/\s+/g, ' '));
}

const named = (name: string): InvoiceDocument => ({
  ...invoice,
  buyer: { ...invoice.buyer, name },
});

/** All that the file draws, decompressed. */
async function streamsOf(bytes: Uint8Array): Promise<string> {
  const pdf = await PDFDocument.load(bytes);
  return pdf.context
    .enumerateIndirectObjects()
    .flatMap(([, object]) => (object instanceof PDFRawStream ? [object] : []))
    .map((stream) => new TextDecoder('latin1').decode(decodePDFRawStream(stream).decode()))
    .join('\n');
}

test('everything that rules 46 and 53 ask for is on it', async () => {
  for (const [document, texts] of [
    [invoice, onInvoice],
    [creditNote, onCreditNote],
  ] as const) {
    const [page, ...more] = await pagesOf(await invoicePdf(document, fonts));
    expect(more).toEqual([]);
    for (const text of texts) expect(page).toContain(text);
    expect(page).toContain('Page 1 of 1');
  }
});

test('the same document gives the same bytes, without a date or a name that is not its own', async () => {
  const [first, second] = [
    await invoicePdf(invoice, fonts),
    await invoicePdf(structuredClone(invoice), await loadInvoiceFonts()),
  ];
  expect(Buffer.from(second).equals(first)).toBe(true);
  const { info } = await getMeta(first.slice());
  expect(info).toMatchObject({
    Title: 'Tax invoice LP/26-27/0000041',
    Author: 'LivePanty Media Private Limited',
    Producer: 'LivePanty',
    CreationDate: 'D:20261105083512Z',
    ModDate: 'D:20261105083512Z',
    Language: 'en-IN',
  });
});

test('a file is small, and so are the fonts that every runtime carries', async () => {
  expect((await invoicePdf(creditNote, fonts)).length).toBeLessThan(pdfBytesMax);
  const files = [...fonts.regular, ...fonts.semibold];
  expect(files.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(fontBytesMax);
});

test('a name in Devanagari is shaped, and copies as it was written', async () => {
  const name = 'लक्ष्मी त्रिपाठी';
  const drawn = await streamsOf(await invoicePdf(named(name), fonts));
  const hex = Array.from(name, (char) => char.charCodeAt(0).toString(16).padStart(4, '0'));
  expect(drawn).toContain(`/ActualText <FEFF${hex.join('').toUpperCase()}>`);
});

test('extended Latin is written, and what no font has is shown by its code', async () => {
  const [latin] = await pagesOf(await invoicePdf(named('Łukasz Žižka Nguyễn ﬁ'), fonts));
  expect(latin).toContain('Łukasz Žižka Nguy[U+1EC5]n fi');
  const [other] = await pagesOf(await invoicePdf(named('王 \u202Egnp 😀\u0000'), fonts));
  expect(other).toContain('[U+738B] [U+202E]gnp [U+1F600]');
});

test('hostile names and many lines go on over several pages, all of them numbered', async () => {
  const pages = await pagesOf(await invoicePdf(hostile, fonts));
  expect(pages.length).toBeGreaterThan(3);
  for (const [index, page] of pages.entries()) {
    expect(page).toContain(`Page ${index + 1} of ${pages.length}`);
    if (index > 0) expect(page).toContain('Tax invoice LP/26-27/0000041, continued');
  }
  expect(pages.join(' ')).toContain('<b>39</b>');
  expect(pages.at(-1)).toContain('₹1,45,679.00');
});
