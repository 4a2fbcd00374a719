// Tables: cells in columns, each line cut to a width, painted or plain.
import { styleText } from 'node:util';

export type Style = 'green' | 'yellow' | 'red' | 'dim' | 'bold';

export interface Cell {
  text: string;
  style?: Style;
}

export interface Column {
  title: string;
  /** Figures stand at the right. */
  isFigure?: boolean;
}

/** A head and a line for each row, as wide as their cells. */
export function tableLines(columns: readonly Column[], rows: readonly Cell[][]): Cell[][] {
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.text.length ?? 0)),
  );
  const line = (cells: readonly Cell[]): Cell[] =>
    cells.flatMap((cell, at) => {
      const width = widths[at] ?? 0;
      const text = columns[at]?.isFigure ? cell.text.padStart(width) : cell.text.padEnd(width);
      return [{ ...cell, text }, { text: '  ' }];
    });
  return [line(columns.map(({ title }) => ({ text: title, style: 'dim' }))), ...rows.map(line)];
}

/** The line as text, no wider than the terminal: a line that breaks would shift all below it. */
export function renderLine(
  cells: readonly Cell[],
  { columns, colour }: { columns: number; colour: boolean },
): string {
  let left = columns;
  const shown = cells.map(({ text, style }) => {
    const cut = text.slice(0, Math.max(0, left));
    left -= text.length;
    return style && colour && cut ? styleText(style, cut, { validateStream: false }) : cut;
  });
  return shown.join('').trimEnd();
}

const barWidth = 10;
const warnShare = 0.6;
const alarmShare = 0.8;

/** A share from 0 to 1 as a bar and a figure. */
export function bar(share: number | null): Cell {
  if (share === null) return { text: '-' };
  const filled = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  const percent = `${Math.round(share * 100)}%`.padStart(4);
  const text = `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]${percent}`;
  if (share >= alarmShare) return { text, style: 'red' };
  return { text, style: share >= warnShare ? 'yellow' : 'green' };
}

export function bits(bps: number): string {
  if (bps >= 1e9) return `${(bps / 1e9).toFixed(2)} Gb/s`;
  if (bps >= 1e6) return `${(bps / 1e6).toFixed(1)} Mb/s`;
  return `${(bps / 1e3).toFixed(0)} kb/s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}

export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h${String(minutes % 60).padStart(2, '0')}m`;
  return `${Math.floor(hours / 24)}d${String(hours % 24).padStart(2, '0')}h`;
}
