// Tests of calendars: every line as RFC 5545 wants it, whatever a title says.
import { expect, test } from 'vitest';
import { scheduleCalendar } from './schedule-calendar.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const entry = {
  id: '01980000-0000-8000-8000-000000000001',
  title: 'Piano; slow, late\\soft',
  category: 'music' as const,
  startsAt: '2026-02-03T18:30:00.000Z',
  minutes: 90,
};
const calendarOf = (title: string, displayName = 'Asha') =>
  scheduleCalendar(
    { username: 'asha', displayName, schedule: [{ ...entry, title }] },
    { origin: 'https://live.example', now },
  );
/** As a calendar reads it: lines that go on are joined again. */
const unfolded = (text: string) => text.replaceAll('\r\n ', '').split('\r\n');

test('an announcement is an event with its moment, length and page', () => {
  expect(unfolded(calendarOf(entry.title))).toEqual([
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//LivePanty//Schedule//EN',
    'METHOD:PUBLISH',
    'X-WR-CALNAME:Asha on LivePanty',
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    'BEGIN:VEVENT',
    `UID:${entry.id}@live.example`,
    'DTSTAMP:20260102T030405Z',
    'DTSTART:20260203T183000Z',
    'DURATION:PT90M',
    'SUMMARY:Asha: Piano\\; slow\\, late\\\\soft',
    'CATEGORIES:music',
    'URL:https://live.example/@asha',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ]);
});

test('a title cannot add lines, and none is longer than 75 octets or cuts a character', () => {
  const title = `एक बहुत लंबा शीर्षक 🎹\r\nEND:VCALENDAR\n${'घ'.repeat(60)}`;
  const text = calendarOf(title);
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(text.match(/^END:VCALENDAR/gm)).toHaveLength(1);
  const encoder = new TextEncoder();
  for (const line of text.split('\r\n')) {
    expect(encoder.encode(line).length).toBeLessThanOrEqual(75);
    expect(line.isWellFormed()).toBe(true);
  }
  expect(unfolded(text)).toContain(
    `SUMMARY:Asha: एक बहुत लंबा शीर्षक 🎹\\nEND:VCALENDAR\\n${'घ'.repeat(60)}`,
  );
});
