// Age by the calendar: time zones, leap days, countries that span several dates.
import { expect, test } from 'vitest';
import { countryCodes } from '#contract';
import { ageOn, isAdult, todayIn } from './age.ts';

test('the date is the one of the country, not of the server', () => {
  const instant = new Date('2026-03-01T20:00:00Z');
  expect(todayIn('IN', instant)).toBe('2026-03-02');
  expect(todayIn('GB', instant)).toBe('2026-03-01');
});

test('where a country spans two dates the earlier one counts', () => {
  expect(todayIn('US', new Date('2026-03-01T05:30:00Z'))).toBe('2026-02-28');
});

test('born on 29 February, one is a year older on 1 March of a common year', () => {
  expect(ageOn('2026-02-28', '2008-02-29')).toBe(17);
  expect(ageOn('2026-03-01', '2008-02-29')).toBe(18);
});

test('the eighteenth birthday makes an adult, the day before does not', () => {
  const now = new Date('2026-06-15T12:00:00Z');
  expect(isAdult('2008-06-15', 'IN', now, 18)).toBe(true);
  expect(isAdult('2008-06-16', 'IN', now, 18)).toBe(false);
});

test('an unknown country gives no answer', () => {
  for (const code of ['QQ', 'SU', 'YU', 'AN', 'in', '']) {
    expect(isAdult('1990-01-01', code, new Date(), 18)).toBeNull();
  }
});

test('every country of the list has a calendar', () => {
  const now = new Date();
  expect(countryCodes.filter((code) => isAdult('1990-01-01', code, now, 18) !== true)).toEqual([]);
});
