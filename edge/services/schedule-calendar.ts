// The calendar of a performer's announcements, as programs for calendars subscribe to it (RFC 5545).
import type { Profile } from '#contract';

const lineBytesMax = 75;

/** Text of a property (section 3.3.11). */
function escaped(text: string): string {
  return text
    .replaceAll(/[\\;,]/g, (sign) => `\\${sign}`)
    .replaceAll(/\r\n|\r|\n/g, '\\n')
    .replaceAll(/\p{Cc}/gu, ' ');
}

/** A line in pieces of 75 octets and less, which begin with a space from the second on; no character is cut (3.1). */
function folded(line: string): string {
  const encoder = new TextEncoder();
  const pieces: string[] = [];
  let piece = '';
  let bytes = 0;
  for (const letter of line) {
    const size = encoder.encode(letter).length;
    if (bytes + size > lineBytesMax) {
      pieces.push(piece);
      piece = ' ';
      bytes = 1;
    }
    piece += letter;
    bytes += size;
  }
  return [...pieces, piece].join('\r\n');
}

/** A moment in UTC, as `20260102T030405Z`. */
function stamp(at: Date): string {
  return at.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}

/** The announcements that a profile shows. `origin` is where the product is. */
export function scheduleCalendar(
  profile: Pick<Profile, 'username' | 'displayName' | 'schedule'>,
  { origin, now }: { origin: string; now: Date },
): string {
  const page = `${origin}/@${profile.username}`;
  const events = profile.schedule.flatMap((entry) => [
    'BEGIN:VEVENT',
    `UID:${entry.id}@${new URL(origin).hostname}`,
    `DTSTAMP:${stamp(now)}`,
    `DTSTART:${stamp(new Date(entry.startsAt))}`,
    `DURATION:PT${entry.minutes}M`,
    `SUMMARY:${escaped(`${profile.displayName}: ${entry.title}`)}`,
    `CATEGORIES:${escaped(entry.category)}`,
    `URL:${page}`,
    'END:VEVENT',
  ]);
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//LivePanty//Schedule//EN',
    'METHOD:PUBLISH',
    `X-WR-CALNAME:${escaped(`${profile.displayName} on LivePanty`)}`,
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    ...events,
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join('');
}
