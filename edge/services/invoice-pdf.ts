// An invoice as a PDF on A4, the same bytes for the same document.
//
// @cantoo/pdf-lib is the kept fork of pdf-lib, and @cantoo/fontkit shapes Devanagari as HarfBuzz does;
// both are plain JavaScript without streams or eval. Noto Sans has the rupee sign, which the fonts every
// reader brings along have not, all of extended Latin, Devanagari, and digits of one width; its five
// files are 232 KB. Letters of other scripts stand as code points: user names are Latin, and fonts for
// all scripts would outweigh the app.
import { PDFDocument } from '@cantoo/pdf-lib';
import {
  describeInvoice,
  type Fact,
  type InvoiceDocument,
  type InvoiceText,
  type Party,
} from './invoice.ts';
import { colours, drawMark, fillBox } from './invoice-paint.ts';
import {
  advance,
  boxAt,
  breakBefore,
  drawLine,
  drawLineRight,
  drawParagraph,
  drawRule,
  drawText,
  inner,
  openSheet,
  paper,
  type Sheet,
} from './invoice-sheet.ts';
import { createTypesetter, type InvoiceFonts, type TextStyle } from './invoice-typesetter.ts';

const half = { width: 232, left: inner.right - 232 };

const styles = {
  title: { size: 21, colour: colours.ink, weight: 'semibold' },
  brand: { size: 15.5, colour: colours.ink, weight: 'semibold' },
  name: { size: 11, colour: colours.ink, weight: 'semibold' },
  strong: { size: 9.5, colour: colours.ink, weight: 'semibold' },
  body: { size: 9.5, colour: colours.ink },
  soft: { size: 9.5, colour: colours.inkSoft },
  label: { size: 8.25, colour: colours.inkFaint },
  total: { size: 13.5, colour: colours.ink, weight: 'semibold' },
} satisfies Record<string, TextStyle>;

type Heading = { text: string; style: TextStyle };

/** Throws when the document's amounts do not add up. `fonts` are the bytes of the files that each runtime brings along. */
export async function invoicePdf(
  document: InvoiceDocument,
  fonts: InvoiceFonts,
): Promise<Uint8Array> {
  const text = describeInvoice(document);
  // Dates and identifiers of the library's own making would be others each time.
  const pdf = await PDFDocument.create({ updateMetadata: false });
  describeFile(pdf, text, document);
  const type = await createTypesetter(pdf, fonts);
  const sheet = openSheet(pdf, type);
  const heading = { text: `${text.title} ${document.number}, continued`, style: styles.name };

  drawHeader(sheet, text);
  drawFacts(sheet, text.facts);
  drawParties(sheet, text.supplier, text.recipient);
  drawTable(sheet, text, heading);
  drawOutcome(sheet, text, heading);
  drawSignature(sheet, text, heading);
  drawPageNumbers(sheet, document.number);

  await type.embedFonts();
  return pdf.save({ objectsPerTick: Number.POSITIVE_INFINITY });
}

function describeFile(pdf: PDFDocument, text: InvoiceText, document: InvoiceDocument): void {
  pdf.setTitle(`${text.title} ${document.number}`, { showInWindowTitleBar: true });
  pdf.setAuthor(document.seller.name);
  pdf.setCreator('LivePanty');
  pdf.setProducer('LivePanty');
  pdf.setCreationDate(document.issuedAt);
  pdf.setModificationDate(document.issuedAt);
  pdf.setLanguage('en-IN');
}

function drawHeader(sheet: Sheet, text: InvoiceText): void {
  const { page, type } = sheet;
  drawMark(page, sheet.fillSpark, { x: inner.left, y: paper.height - 81, size: 29 });
  const name = inner.left + 39;
  drawLine(sheet, 'Live', name, 55, styles.brand);
  drawLine(sheet, 'Panty', name + type.width('Live', styles.brand), 55, {
    ...styles.brand,
    colour: colours.brand,
  });
  drawLineRight(sheet, text.title, inner.right, 44, styles.title);
  drawLineRight(sheet, text.copy, inner.right, 75, styles.label);
  sheet.top = 112;
}

/** In a row while they fit side by side, else three to a row. */
function drawFacts(sheet: Sheet, facts: Fact[]): void {
  const padding = 14;
  const width = inner.width - 2 * padding;
  const gap = 16;
  const natural = facts.map(
    (fact) =>
      Math.max(
        sheet.type.width(fact.label, styles.label),
        sheet.type.width(fact.value, styles.strong),
      ) + gap,
  );
  const spare = width - natural.reduce((sum, one) => sum + one, 0);
  const perRow = spare >= 0 ? facts.length : 3;
  const widths = natural.map((one) => (spare >= 0 ? one + spare / facts.length : width / perRow));
  const rows = Array.from({ length: Math.ceil(facts.length / perRow) }, (_, row) =>
    facts.slice(row * perRow, (row + 1) * perRow).map((fact, column) => ({
      fact,
      left: inner.left + padding + sum(widths.slice(0, column)),
      value: sheet.type.wrap(fact.value, styles.strong, (widths[column] ?? 0) - gap),
    })),
  );
  const heightOf = (row: (typeof rows)[number]) =>
    advance(styles.label) +
    Math.max(...row.map((one) => one.value.lines.length)) * advance(styles.strong);
  const height = sum(rows.map(heightOf)) + 11 * (rows.length - 1) + 2 * padding;
  fillBox(
    sheet.page,
    { ...boxAt(inner.left, sheet.top, inner.width, height), radius: 6 },
    colours.ground,
  );
  let top = sheet.top + padding;
  for (const row of rows) {
    for (const { fact, left, value } of row) {
      const below = drawLine(sheet, fact.label, left, top, styles.label);
      drawParagraph(sheet, value, left, below);
    }
    top += heightOf(row) + 11;
  }
  sheet.top += height + 26;
}

function drawParties(sheet: Sheet, supplier: Party, recipient: Party): void {
  const ends = [supplier, recipient].map((party, index) => {
    const left = index === 0 ? inner.left : half.left;
    let top = drawLine(sheet, party.heading, left, sheet.top, styles.label) + 1;
    top = drawText(sheet, party.name, left, top, styles.name, half.width) + 1;
    for (const one of party.lines) top = drawText(sheet, one, left, top, styles.soft, half.width);
    return top;
  });
  sheet.top = Math.max(...ends) + 28;
}

const columns = { value: inner.right, tokens: inner.right - 132, description: 250 };

function drawTable(sheet: Sheet, text: InvoiceText, heading: Heading): void {
  const head = () => {
    drawLine(sheet, text.columns.description, inner.left, sheet.top, styles.label);
    drawLineRight(sheet, text.columns.tokens, columns.tokens, sheet.top, styles.label);
    sheet.top =
      drawLineRight(sheet, text.columns.value, columns.value, sheet.top, styles.label) + 6;
    drawRule(sheet, colours.ink, 0.8);
  };
  head();
  for (const row of text.rows) {
    const description = sheet.type.wrap(row.description, styles.strong, columns.description);
    const height = 20 + description.lines.length * advance(styles.strong) + advance(styles.label);
    if (breakBefore(sheet, height, heading)) head();
    const top = sheet.top + 10;
    drawLineRight(sheet, row.tokens, columns.tokens, top, styles.body);
    drawLineRight(sheet, row.value, columns.value, top, styles.body);
    const below = drawParagraph(sheet, description, inner.left, top);
    drawLine(sheet, row.detail, inner.left, below, styles.label);
    sheet.top += height;
    drawRule(sheet, colours.line, 0.6);
  }
  sheet.top += 18;
}

function drawOutcome(sheet: Sheet, text: InvoiceText, heading: Heading): void {
  const words = sheet.type.wrap(text.words.value, styles.body, half.width);
  breakBefore(sheet, 130 + words.lines.length * advance(styles.body), heading);
  let top = drawLine(sheet, text.words.label, inner.left, sheet.top, styles.label);
  top = drawParagraph(sheet, words, inner.left, top) + 13;
  top = drawLine(sheet, text.payment.heading, inner.left, top, styles.label);
  for (const fact of text.payment.facts) {
    drawLine(sheet, fact.label, inner.left, top, styles.soft);
    top = drawText(sheet, fact.value, inner.left + 56, top, styles.body, half.width - 56);
  }
  let right = sheet.top;
  for (const fact of text.sums) {
    drawLine(sheet, fact.label, half.left, right, styles.soft);
    right = drawLineRight(sheet, fact.value, inner.right, right, styles.body) + 6;
  }
  right += 3;
  const total = boxAt(half.left - 12, right, half.width + 12, 38);
  fillBox(sheet.page, { ...total, radius: 6 }, colours.brandWash);
  drawLine(sheet, text.total.label, half.left, right + 12, styles.strong);
  drawLineRight(sheet, text.total.value, inner.right - 12, right + 9, styles.total);
  sheet.top = Math.max(top, right + 38) + 28;
}

function drawSignature(sheet: Sheet, text: InvoiceText, heading: Heading): void {
  const name = sheet.type.wrap(text.signature.heading, styles.strong, inner.width);
  breakBefore(sheet, 14 + name.lines.length * advance(styles.strong) + 30, heading);
  drawRule(sheet, colours.line, 0.6);
  const top = drawParagraph(sheet, name, inner.left, sheet.top + 12) + 1;
  sheet.top = drawText(sheet, text.signature.note, inner.left, top, styles.label, inner.width);
}

function drawPageNumbers(sheet: Sheet, number: string): void {
  const pages = sheet.pdf.getPages();
  for (const [index, page] of pages.entries()) {
    const at = { ...sheet, page };
    drawLine(at, number, inner.left, paper.height - 42, styles.label);
    const counted = `Page ${index + 1} of ${pages.length}`;
    drawLineRight(at, counted, inner.right, paper.height - 42, styles.label);
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
