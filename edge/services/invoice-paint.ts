// The paint of an invoice's PDF: colours, boxes, and the product's mark.
import {
  PDFOperatorNames as Op,
  type PDFDocument,
  PDFName,
  PDFOperator,
  type PDFPage,
  type PDFRef,
} from '@cantoo/pdf-lib';
import type { Colour } from './invoice-typesetter.ts';

/** Of client/styles/tokens.css, as they are on white. */
export const colours = {
  ground: colour(0xfaf6f3),
  line: colour(0xe6dcd7),
  ink: colour(0x1d1320),
  inkSoft: colour(0x574a5c),
  inkFaint: colour(0x6f6174),
  brand: colour(0xcf1746),
  brandWash: colour(0xfde8ed),
  white: colour(0xffffff),
};
const spark = [colour(0xff3d6e), colour(0xf2553d), colour(0xffb02e)] as const;
const sparkMiddle = 0.55;

/** `x` and `y` are the lower left corner, as everywhere in PDF. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  radius?: number;
}

function colour(rgb: number): Colour {
  return [(rgb >> 16) / 255, ((rgb >> 8) & 0xff) / 255, (rgb & 0xff) / 255];
}

export function fillBox(page: PDFPage, box: Box, fill: Colour): void {
  page.pushOperators(
    operator(Op.NonStrokingColorRgb, ...fill),
    ...outline(box),
    operator(Op.FillNonZero),
  );
}

/** Makes the gradient once for the file; returns what fills a box with it. */
export function createSpark(pdf: PDFDocument): (page: PDFPage, box: Box) => void {
  const between = (from: Colour, to: Colour) => ({
    FunctionType: 2,
    Domain: [0, 1],
    C0: [...from],
    C1: [...to],
    N: 1,
  });
  const shading = (...coords: number[]): PDFRef =>
    pdf.context.register(
      pdf.context.obj({
        ShadingType: 2,
        ColorSpace: 'DeviceRGB',
        // Within a square of one, which is stretched over the box.
        Coords: coords,
        Extend: [true, true],
        Function: {
          FunctionType: 3,
          Domain: [0, 1],
          Functions: [between(spark[0], spark[1]), between(spark[1], spark[2])],
          Bounds: [sparkMiddle],
          Encode: [0, 1, 0, 1],
        },
      }),
    );
  const shadings = pdf.context.obj({ Slanting: shading(0, 1, 1, 0), Level: shading(0, 0, 1, 0) });
  return (page, box) => {
    const { Resources } = page.node.normalizedEntries();
    Resources.set(PDFName.of('Shading'), shadings);
    page.pushOperators(
      operator(Op.PushGraphicsState),
      ...outline(box),
      operator(Op.ClipNonZero),
      operator(Op.EndPath),
      operator(Op.ConcatTransformationMatrix, box.width, 0, 0, box.height, box.x, box.y),
      operator(Op.ShadingFill, box.width > 2 * box.height ? '/Level' : '/Slanting'),
      operator(Op.PopGraphicsState),
    );
  };
}

/** The mark of client/ui/logo.tsx, whose drawing is 32 units wide. */
export function drawMark(
  page: PDFPage,
  fillSpark: (page: PDFPage, box: Box) => void,
  { x, y, size }: { x: number; y: number; size: number },
): void {
  const scale = size / 32;
  fillSpark(page, { x, y, width: size, height: size, radius: 9 * scale });
  page.pushOperators(
    operator(Op.PushGraphicsState),
    operator(Op.ConcatTransformationMatrix, scale, 0, 0, -scale, x, y + size),
    operator(Op.NonStrokingColorRgb, ...colours.white),
    ...polygon([8, 7.5], [12, 7.5], [12, 20.5], [24, 20.5], [24, 24.5], [8, 24.5]),
    operator(Op.FillNonZero),
    operator(Op.MoveTo, 14.6, 6.5),
    operator(Op.LineTo, 23.4, 11.6),
    operator(Op.AppendBezierCurve, 24.05, 11.98, 24.05, 12.92, 23.4, 13.3),
    operator(Op.LineTo, 14.6, 18.4),
    operator(Op.ClosePath),
    operator(Op.FillNonZero),
    operator(Op.PopGraphicsState),
  );
}

function polygon(...points: [x: number, y: number][]): PDFOperator[] {
  return [
    ...points.map(([x, y], index) => operator(index === 0 ? Op.MoveTo : Op.LineTo, x, y)),
    operator(Op.ClosePath),
  ];
}

/** How far a Bézier curve's handles reach for a quarter of a circle of radius one. */
const quarter = 0.5523;

function outline({ x, y, width, height, radius = 0 }: Box): PDFOperator[] {
  if (radius === 0) return [operator(Op.AppendRectangle, x, y, width, height)];
  const [right, top, off] = [x + width, y + height, radius * (1 - quarter)];
  const curve = (...numbers: number[]) => operator(Op.AppendBezierCurve, ...numbers);
  return [
    operator(Op.MoveTo, x + radius, y),
    operator(Op.LineTo, right - radius, y),
    curve(right - off, y, right, y + off, right, y + radius),
    operator(Op.LineTo, right, top - radius),
    curve(right, top - off, right - off, top, right - radius, top),
    operator(Op.LineTo, x + radius, top),
    curve(x + off, top, x, top - off, x, top - radius),
    operator(Op.LineTo, x, y + radius),
    curve(x, y + off, x + off, y, x + radius, y),
    operator(Op.ClosePath),
  ];
}

/** Three digits behind the point are a thousandth of a point: more only makes the file larger. */
function operator(name: Op, ...args: (number | string)[]): PDFOperator {
  return PDFOperator.of(
    name,
    args.map((arg) => (typeof arg === 'string' ? arg : String(Number(arg.toFixed(3))))),
  );
}
