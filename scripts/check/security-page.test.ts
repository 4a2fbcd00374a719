// The page about security: it answers every requirement that it says it does, and the tests that it names are there.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fromRoot } from '../launch/child.ts';

/** OWASP ASVS 5.0.0: how many requirements of levels 1 and 2 the sections begin with; others are named one by one. */
const sections: Record<string, number[]> = {
  'V1.1': range(2),
  'V1.2': range(9),
  'V1.3': range(11),
  'V1.4': range(3),
  'V1.5': range(2),
  'V2.1': range(3),
  'V2.2': range(3),
  'V2.3': range(4),
  'V2.4': range(1),
  'V3.2': range(2),
  'V3.3': range(4),
  'V3.4': range(6),
  'V3.5': range(5),
  'V3.7': range(2),
  'V4.1': range(3),
  'V4.2': range(1),
  'V4.3': range(2),
  'V4.4': range(4),
  'V5.1': range(1),
  'V5.2': range(3),
  'V5.3': range(2),
  'V5.4': range(3),
  'V6.1': range(3),
  'V6.2': range(12),
  'V6.3': range(4),
  'V6.4': range(4),
  'V6.5': [...range(6), 8],
  'V6.6': range(3),
  'V6.7': range(2),
  'V6.8': range(4),
  'V7.1': range(3),
  'V7.2': range(4),
  'V7.3': range(2),
  'V7.4': range(5),
  'V7.5': range(3),
  'V7.6': range(2),
  'V8.1': range(2),
  'V8.2': range(3),
  'V8.3': range(3),
  'V8.4': range(1),
  'V9.1': range(3),
  'V9.2': range(4),
  'V10.1': range(2),
  'V10.2': range(2),
  'V10.3': range(5),
  'V10.4': range(16),
  'V10.5': range(5),
  'V10.6': range(2),
  'V10.7': range(3),
  'V11.1': range(2),
  'V11.2': range(3),
  'V11.3': range(3),
  'V11.4': range(4),
  'V11.5': range(1),
  'V11.6': range(1),
  'V12.1': range(3),
  'V12.2': range(2),
  'V12.3': range(4),
  'V13.1': range(1),
  'V13.2': range(5),
  'V13.3': range(2),
  'V13.4': range(5),
  'V14.1': range(2),
  'V14.2': range(4),
  'V14.3': range(3),
  'V15.1': range(3),
  'V15.2': range(3),
  'V15.3': range(7),
  'V16.1': range(1),
  'V16.2': range(5),
  'V16.3': range(4),
  'V16.4': range(3),
  'V16.5': range(4),
  'V17.1': range(2),
  'V17.2': range(8),
  'V17.3': range(2),
};

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

const wanted = Object.entries(sections).flatMap(([section, numbers]) =>
  numbers.map((number) => `${section}.${number}`),
);

interface Row {
  names: string;
  how: string;
  shownBy: string;
}

async function readRows(): Promise<Row[]> {
  const text = await readFile(fromRoot('docs/security.md'), 'utf8');
  return text
    .split('\n')
    .filter((line) => /^\| V\d/.test(line))
    .map((line) => {
      const [, names = '', how = '', shownBy = ''] = line.split('|').map((cell) => cell.trim());
      return { names, how, shownBy };
    });
}

/** `V1.1.1, V1.1.2` and `V1.2.6–V1.2.8` one by one, in the order of the standard. */
function expand(names: string): string[] {
  return names.split(', ').flatMap((name) => {
    const [from = '', to] = name.split('–');
    if (!to) return [from];
    return wanted.slice(wanted.indexOf(from), wanted.indexOf(to) + 1);
  });
}

test('every requirement has one answer, and every answer a requirement', async () => {
  const rows = await readRows();
  const answered = rows.flatMap(({ names }) => expand(names));
  expect(answered.filter((name, at) => answered.indexOf(name) !== at)).toEqual([]);
  expect(wanted.filter((name) => !answered.includes(name))).toEqual([]);
  for (const { how } of rows) expect(how.length).toBeGreaterThan(3);
});

test('the tests that are named are there', async () => {
  const missing: string[] = [];
  for (const { names, shownBy } of await readRows()) {
    if (shownBy === '—') continue;
    const tests = [...shownBy.matchAll(/`([^`]+)`(?: › ([^`]+?))?(?=, `|$)/g)];
    if (tests.length === 0) missing.push(`${names}: ${shownBy}`);
    for (const [, file = '', words = ''] of tests) {
      const text = await readFile(fromRoot(file), 'utf8').catch(() => null);
      const titles = [
        ...(text ?? '').matchAll(/(?:\b(?:test|describe)\(|\]\)\(|\)\()\s*['`]([^\n]+)/g),
      ];
      const isThere = titles.some(([, title = '']) => title.includes(words));
      if (!isThere) missing.push(`${names}: ${file} › ${words}`);
    }
  }
  expect(missing).toEqual([]);
});
