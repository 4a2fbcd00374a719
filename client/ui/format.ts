// Formats: numbers, money and times as people read them.
const locale = 'en-IN';

/** Each format is made when it is first used: together they cost a page tens of milliseconds at its start. */
function once<T>(make: () => T): () => T {
  let made: T | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

const rupees = (options: Intl.NumberFormatOptions) =>
  new Intl.NumberFormat(locale, { style: 'currency', currency: 'INR', ...options });
const whole = once(() => new Intl.NumberFormat(locale));
const short = once(
  () => new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 }),
);
const rupeesWhole = once(() => rupees({ maximumFractionDigits: 0 }));
const rupeesExact = once(() => rupees({}));
const clockTime = once(
  () => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }),
);
const exactTime = once(() => new Intl.DateTimeFormat(locale, { timeStyle: 'medium' }));
const dayTime = once(
  () => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }),
);
const day = once(() => new Intl.DateTimeFormat(locale, { dateStyle: 'long' }));
const indiaDay = once(
  () => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'Asia/Kolkata' }),
);

const paisePerRupee = 100;

/** Numbers that need no grouping look the same without the formats, whose first use costs a page 20 ms. */
const isPlain = (number: number): boolean => number >= 0 && number < 1_000;

export const formatCount = (count: number): string =>
  isPlain(count) && Number.isInteger(count) ? String(count) : whole().format(count);
export const formatShort = (count: number): string => short().format(count);

/** Rupees, with paise only where there are some. */
export function formatRupees(paise: number): string {
  const amount = paise / paisePerRupee;
  const isWhole = Number.isInteger(amount);
  if (isPlain(amount)) return `₹${amount.toFixed(isWhole ? 0 : 2)}`;
  return (isWhole ? rupeesWhole : rupeesExact)().format(amount);
}

export const formatTokens = (tokens: number): string =>
  `${formatCount(tokens)} ${Math.abs(tokens) === 1 ? 'token' : 'tokens'}`;

export const formatTime = (instant: string): string => clockTime().format(new Date(instant));
export const formatDayTime = (instant: string): string => dayTime().format(new Date(instant));
export const formatDay = (instant: string): string => day().format(new Date(instant));

/** The day in India, by which invoices and statements go. */
export const formatIndiaDay = (instant: string): string => indiaDay().format(new Date(instant));

/** The time of day to the second, of milliseconds since the epoch. */
export const formatInstantTime = (atMs: number): string => exactTime().format(new Date(atMs));

/** Basis points as a share of a hundred: 10 as "0.1 %". */
export const formatRate = (basisPoints: number): string => `${basisPoints / 100}\u00a0%`;

/** A span of time as h:mm:ss or m:ss. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1_000));
  const two = (part: number) => String(part).padStart(2, '0');
  const hours = Math.floor(seconds / 3_600);
  const rest = `${two(Math.floor((seconds % 3_600) / 60))}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** "just now", "4 min", "2 h": how long something has been going on. */
export function formatSince(instant: string, nowMs: number): string {
  const minutes = Math.floor((nowMs - Date.parse(instant)) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** 1800000 as "1.8 Mbit/s". */
export function formatBitrate(bps: number): string {
  return bps >= 1_000_000
    ? `${(bps / 1_000_000).toFixed(1)} Mbit/s`
    : `${Math.round(bps / 1_000)} kbit/s`;
}
