// A typesetter for PDF pages: shapes, measures, wraps and draws text with embedded fonts.
import * as fontkit from '@cantoo/fontkit';
import {
  CustomFontSubsetEmbedder,
  PDFOperatorNames as Op,
  type PDFDocument,
  PDFName,
  PDFOperator,
  type PDFPage,
  type PDFRef,
} from '@cantoo/pdf-lib';
import { assert } from '#contract';

/**
 * Font files (TTF or WOFF) of one family by weight; of each weight the first that has a character draws
 * it. The first semi-bold one must have digits, and one of them the rupee sign.
 */
export interface InvoiceFonts {
  regular: readonly Uint8Array[];
  semibold: readonly Uint8Array[];
}

export type Weight = keyof InvoiceFonts;
export type Colour = readonly [red: number, green: number, blue: number];

export interface TextStyle {
  size: number;
  colour: Colour;
  weight?: Weight;
}

export interface Paragraph {
  lines: string[];
  style: TextStyle;
}

export interface Typesetter {
  /** In points. */
  width(text: string, style: TextStyle): number;
  /** Lines no wider than this; words that are wider are broken. All of them have one weight. */
  wrap(text: string, style: TextStyle, widthMax: number): Paragraph;
  /** One line; `x` and `y` are the beginning of its base line. */
  draw(page: PDFPage, text: string, x: number, y: number, style: TextStyle): void;
  /** Puts the fonts that were used into the file; once, when everything is drawn. */
  embedFonts(): Promise<void>;
}

interface Face {
  font: fontkit.Font;
  embedder: CustomFontSubsetEmbedder;
  name: string;
  ref: PDFRef | null;
}

interface Run {
  face: Face;
  text: string;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

export async function createTypesetter(pdf: PDFDocument, fonts: InvoiceFonts): Promise<Typesetter> {
  const openAll = (files: readonly Uint8Array[], letter: string) =>
    Promise.all(
      files.map((bytes, index) => openFace(bytes, letter + String.fromCharCode(65 + index))),
    );
  const faces = {
    regular: await openAll(fonts.regular, 'R'),
    semibold: await openAll(fonts.semibold, 'S'),
  };

  function runsOf(text: string, style: TextStyle): Run[] {
    const spelt = spell(text, faces.regular);
    // A word half in one weight and half in another would look broken: all in regular, then.
    const bold = style.weight === 'semibold' ? splitIntoRuns(spelt, faces.semibold) : null;
    const runs = bold ?? splitIntoRuns(spelt, faces.regular);
    assert(runs, 'spelt text has glyphs');
    return runs;
  }

  function width(text: string, style: TextStyle): number {
    const units = runsOf(text, style).map(
      ({ face, text: part }) => face.font.layout(part).advanceWidth / face.font.unitsPerEm,
    );
    return units.reduce((sum, one) => sum + one, 0) * style.size;
  }

  function wrap(text: string, wished: TextStyle, widthMax: number): Paragraph {
    const bold = splitIntoRuns(spell(text, faces.regular), faces.semibold) !== null;
    const style: TextStyle = bold ? wished : { ...wished, weight: 'regular' };
    const fits = (line: string) => width(line, style) <= widthMax;
    const lines: string[] = [];
    let line = '';
    for (const word of text.trim().split(/\s+/)) {
      if (line !== '' && fits(`${line} ${word}`)) {
        line = `${line} ${word}`;
        continue;
      }
      if (line !== '') lines.push(line);
      line = '';
      for (const { segment } of fits(word) ? [{ segment: word }] : graphemes.segment(word)) {
        if (line !== '' && !fits(line + segment)) {
          lines.push(line);
          line = '';
        }
        line += segment;
      }
    }
    return { lines: [...lines, line], style };
  }

  function draw(page: PDFPage, text: string, x: number, y: number, style: TextStyle): void {
    let at = x;
    for (const run of runsOf(text, style)) {
      run.face.ref ??= pdf.context.nextRef();
      page.node.setFontDictionary(PDFName.of(run.face.name), run.face.ref);
      at += drawRun(page, run, at, y, style);
    }
  }

  async function embedFonts(): Promise<void> {
    for (const face of [...faces.regular, ...faces.semibold]) {
      if (face.ref) await face.embedder.embedIntoContext(pdf.context, face.ref);
    }
  }

  return { width, wrap, draw, embedFonts };
}

/** `name` is two capitals. */
async function openFace(bytes: Uint8Array, name: string): Promise<Face> {
  const font = fontkit.create(bytes);
  assert('layout' in font, 'a file of one font');
  // Six letters before the name mark a subset (ISO 32000-1, 9.6.4) and tell files of one family apart.
  const fontName = `LIVE${name}+${font.postscriptName ?? 'Font'}`;
  const fontkitOfOne = { create: () => font };
  const embedder = await CustomFontSubsetEmbedder.for(fontkitOfOne, bytes, fontName);
  return { font, embedder, name, ref: null };
}

/**
 * What the fonts can write of a text. What they cannot is first tried in its plainer form, such as a
 * full-width letter, and else stands as its code point, [U+738B]: visible, and never mistaken for
 * somebody else's name.
 */
function spell(text: string, faces: readonly Face[]): string {
  const covered = (part: string) =>
    [...part].every((char) =>
      faces.some(({ font }) => font.hasGlyphForCodePoint(char.codePointAt(0) ?? 0)),
    );
  return [...text.normalize('NFC').replace(/[\s\p{Cc}]+/gu, ' ')]
    .map((char) => {
      if (covered(char)) return char;
      const plainer = char.normalize('NFKC');
      if (covered(plainer)) return plainer;
      return `[U+${char.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`;
    })
    .join('');
}

/** Parts of one face each, as long as they can be, because only within a part are letters joined; null when a character has no glyph. */
function splitIntoRuns(text: string, faces: readonly Face[]): Run[] | null {
  const runs: Run[] = [];
  for (const char of text) {
    const has = (face: Face) => face.font.hasGlyphForCodePoint(char.codePointAt(0) ?? 0);
    const last = runs.at(-1);
    if (last && has(last.face)) {
      last.text += char;
      continue;
    }
    const face = faces.find(has);
    if (!face) return null;
    runs.push({ face, text: char });
  }
  return runs;
}

/** Returns how far the pen went. */
function drawRun(
  page: PDFPage,
  { face, text }: Run,
  x: number,
  y: number,
  { size, colour }: TextStyle,
): number {
  const { glyphs, positions, advanceWidth } = face.font.layout(text);
  const codes = face.embedder.encodeText(text).asString().match(/.{4}/g) ?? [];
  assert(codes.length === glyphs.length && positions, 'a code for each glyph');
  const { unitsPerEm } = face.font;
  const thousandths = (units: number) => Number(((units * 1000) / unitsPerEm).toFixed(3));
  // The pen goes on by a glyph's own width; what shaping wants otherwise is said between the glyphs.
  const shown = [startOfRun(face.name, size, x, y, colour)];
  let items: (string | number)[] = [];
  let rise = 0;
  const flush = () => {
    if (items.length > 0) shown.push([operator(Op.ShowTextAdjusted, `[${items.join(' ')}]`)]);
    items = [];
  };
  glyphs.forEach((glyph, index) => {
    const position = positions[index];
    assert(position, 'a position for each glyph');
    if (position.yOffset !== rise) {
      flush();
      rise = position.yOffset;
      shown.push([operator(Op.SetTextRise, decimal((rise / unitsPerEm) * size))]);
    }
    if (position.xOffset !== 0) items.push(thousandths(-position.xOffset));
    items.push(`<${codes[index]}>`);
    const back = glyph.advanceWidth + position.xOffset - position.xAdvance;
    if (back !== 0) items.push(thousandths(back));
  });
  flush();
  const line = [...shown.flat(), operator(Op.EndText)];
  // Where glyphs stand in another order than letters, what is copied or read aloud is the text itself.
  const spelt = String.fromCodePoint(...glyphs.flatMap((glyph) => glyph.codePoints));
  if (spelt !== text) {
    const actualText = `<< /ActualText <${utf16Hex(text)}> >>`;
    line.unshift(operator(Op.BeginMarkedContentSequence, '/Span', actualText));
    line.push(operator(Op.EndMarkedContent));
  }
  page.pushOperators(...line);
  return (advanceWidth / unitsPerEm) * size;
}

function startOfRun(
  font: string,
  size: number,
  x: number,
  y: number,
  colour: Colour,
): PDFOperator[] {
  return [
    operator(Op.BeginText),
    operator(Op.NonStrokingColorRgb, ...colour.map(decimal)),
    operator(Op.SetFontAndSize, `/${font}`, decimal(size)),
    operator(Op.SetTextRise, '0'),
    operator(Op.MoveText, decimal(x), decimal(y)),
  ];
}

function operator(name: Op, ...args: string[]): PDFOperator {
  return PDFOperator.of(name, args);
}

function decimal(value: number): string {
  return String(Number(value.toFixed(3)));
}

/** Big-endian with its mark, as PDF wants text that is not ASCII. */
function utf16Hex(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  return ['FEFF', ...units.map((unit) => unit.toString(16).toUpperCase().padStart(4, '0'))].join(
    '',
  );
}
