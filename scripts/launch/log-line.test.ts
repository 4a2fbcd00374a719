// Lines of the parts become readable, whatever they look like.
import { expect, test } from 'vitest';
import { parseLine, renderLine } from './log-line.ts';

const now = new Date(2026, 0, 1, 12, 0, 1);
const render = (part: string, text: string) =>
  renderLine(parseLine(part, text, now), { colour: false, width: 8 });
const at = { level: 30, time: now.getTime(), pid: 1, hostname: 'h', service: 'sfu' };

test('a structured line shows time, part, level, text and fields', () => {
  expect(
    render('sfu', JSON.stringify({ ...at, msg: 'room opened', streamId: 'a1', count: 2 })),
  ).toBe('12:00:01 sfu      info  room opened streamId=a1 count=2');
  const worded = JSON.stringify({ level: 'warn', time: now.getTime(), msg: 'slow', why: 'a b' });
  expect(render('edge', worded)).toBe('12:00:01 edge     warn  slow why="a b"');
  const iso = JSON.stringify({ ...at, time: now.toISOString(), level: 50, msg: 'x' });
  expect(render('sfu', iso)).toBe('12:00:01 sfu      error x');
});

test('an error is shown with the top of its stack', () => {
  const err = { type: 'Error', message: 'broke', stack: 'Error: broke\n    at here' };
  expect(render('sfu', JSON.stringify({ ...at, level: 50, msg: 'failed', err }))).toBe(
    '12:00:01 sfu      error failed\n    Error: broke\n        at here',
  );
});

test('lines of PostgreSQL and Redis lose their own time and keep their weight', () => {
  const level = (text: string) => parseLine('x', text, now).level;
  expect(level('2026-11-23 00:07:53.647 UTC [14661] LOG:  checkpoint starting')).toBe('debug');
  expect(level('2026-11-23 00:07:53.647 UTC [14661] ERROR:  insufficient-balance')).toBe('debug');
  expect(level('2026-11-23 00:07:53.647 UTC [14661] PANIC:  no space left')).toBe('error');
  expect(level('14601:M 23 Nov 2026 00:07:52.030 * Ready to accept connections')).toBe('debug');
  expect(level('14601:M 23 Nov 2026 00:07:52.030 # WARNING Memory overcommit')).toBe('warn');
  expect(render('redis', '14601:M 23 Nov 2026 00:07:52.030 * Ready')).toBe(
    '12:00:01 redis    debug Ready',
  );
});

test('any other text comes through as it is, and long values are cut', () => {
  expect(render('jobs', '{ not json')).toBe('12:00:01 jobs     info  { not json');
  expect(render('jobs', 'TypeError: x is not a function')).toMatch(/ error TypeError/);
  const long = render('sfu', JSON.stringify({ ...at, msg: 'm', blob: 'y'.repeat(5_000) }));
  expect(long.length).toBeLessThan(300);
});
