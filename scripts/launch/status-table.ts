// The table of parts: name, state, address, process and how long the start took.
import { styleText } from 'node:util';
import type { PartStatus } from './supervisor.ts';

const titles = {
  name: 'part',
  state: 'state',
  address: 'address',
  pid: 'pid',
  seconds: 'start',
} as const;

type Column = keyof typeof titles;
/** The later, the less they are missed. */
const columns: Column[] = ['name', 'state', 'address', 'pid', 'seconds'];
const columnsMin = 3;

/** The table as text, with as many of its columns as the width has room for. */
export function renderStatusTable(
  statuses: PartStatus[],
  { colour, width: widthMax }: { colour: boolean; width: number },
): string {
  const rows = statuses.map(
    ({ name, state, address, pid, readyMs }): Record<Column, string> => ({
      name,
      state,
      address,
      pid: pid === undefined ? '-' : String(pid),
      seconds: readyMs === null ? '-' : `${(readyMs / 1000).toFixed(1)} s`,
    }),
  );
  const width = (column: Column) =>
    Math.max(titles[column].length, ...rows.map((row) => row[column].length));
  const widthOfFirst = (count: number) =>
    columns.slice(0, count).reduce((sum, column) => sum + width(column) + 2, -2);
  let shown = columns.length;
  while (shown > columnsMin && widthOfFirst(shown) > widthMax) shown -= 1;
  const line = (row: Record<Column, string>) =>
    columns
      .slice(0, shown)
      .map((column) =>
        column === 'seconds' || column === 'pid'
          ? row[column].padStart(width(column))
          : row[column].padEnd(width(column)),
      )
      .join('  ')
      .trimEnd();
  const head = line(titles);
  return [
    colour ? styleText('dim', head, { validateStream: false }) : head,
    ...rows.map((row) => {
      const text = line(row);
      if (!colour) return text;
      const style = row.state === 'ready' ? 'green' : 'red';
      return text.replace(
        ` ${row.state}`,
        () => ` ${styleText(style, row.state, { validateStream: false })}`,
      );
    }),
  ].join('\n');
}
