// The sheets of an invoice's PDF: A4 pages that are filled from the top.
import type { PDFDocument, PDFPage } from '@cantoo/pdf-lib';
import { type Box, createSpark, fillBox } from './invoice-paint.ts';
import type { Colour, Paragraph, TextStyle, Typesetter } from './invoice-typesetter.ts';

/** In points. */
export const paper = { width: 595.28, height: 841.89 };
const margin = 50;
const bottom = paper.height - 64;
const barHeight = 5;
const lineHeight = 1.45;

/** What lies between the margins. */
export const inner = { left: margin, right: paper.width - margin, width: paper.width - 2 * margin };

/** Where the next thing goes: `top` counts points from the upper edge of the page. */
export interface Sheet {
  pdf: PDFDocument;
  type: Typesetter;
  fillSpark: (page: PDFPage, box: Box) => void;
  page: PDFPage;
  top: number;
}

export function openSheet(pdf: PDFDocument, type: Typesetter): Sheet {
  const fillSpark = createSpark(pdf);
  const page = addPage(pdf, fillSpark);
  return { pdf, type, fillSpark, page, top: 0 };
}

function addPage(pdf: PDFDocument, fillSpark: Sheet['fillSpark']): PDFPage {
  const page = pdf.addPage([paper.width, paper.height]);
  fillSpark(page, boxAt(0, 0, paper.width, barHeight));
  return page;
}

/** Goes on on another page, with this heading, when there is no room for so much; says whether it did. */
export function breakBefore(
  sheet: Sheet,
  height: number,
  heading: { text: string; style: TextStyle },
): boolean {
  if (sheet.top + height <= bottom) return false;
  sheet.page = addPage(sheet.pdf, sheet.fillSpark);
  sheet.top = drawLine(sheet, heading.text, inner.left, 36, heading.style) + 16;
  return true;
}

/** A line from margin to margin. */
export function drawRule(sheet: Sheet, colour: Colour, weight: number): void {
  fillBox(sheet.page, boxAt(inner.left, sheet.top, inner.width, weight), colour);
  sheet.top += weight;
}

export function boxAt(left: number, top: number, width: number, height: number): Box {
  return { x: left, y: paper.height - top - height, width, height };
}

/** How much lower the next line of text stands. */
export function advance(style: TextStyle): number {
  return style.size * lineHeight;
}

/** Draws one line below `top` and returns where the next begins; capitals stand in its middle. */
export function drawLine(
  sheet: Sheet,
  text: string,
  left: number,
  top: number,
  style: TextStyle,
): number {
  const baseline = top + advance(style) / 2 + style.size * 0.357;
  sheet.type.draw(sheet.page, text, left, paper.height - baseline, style);
  return top + advance(style);
}

export function drawLineRight(
  sheet: Sheet,
  text: string,
  right: number,
  top: number,
  style: TextStyle,
): number {
  return drawLine(sheet, text, right - sheet.type.width(text, style), top, style);
}

export function drawParagraph(
  sheet: Sheet,
  { lines, style }: Paragraph,
  left: number,
  top: number,
): number {
  return lines.reduce((at, line) => drawLine(sheet, line, left, at, style), top);
}

/** Wraps and draws. */
export function drawText(
  sheet: Sheet,
  text: string,
  left: number,
  top: number,
  style: TextStyle,
  widthMax: number,
): number {
  return drawParagraph(sheet, sheet.type.wrap(text, style, widthMax), left, top);
}
