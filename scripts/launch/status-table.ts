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
const columns: Column[] = ['name', 'state', 'address', 'pid', 'seconds'];

/** The table as text. */
export function renderStatusTable(statuses: PartStatus[], colour: boolean): string {
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
  const line = (row: Record<Column, string>) =>
    columns
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
