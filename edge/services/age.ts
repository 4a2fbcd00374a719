// Age: whether somebody is an adult today, by the calendar where they live.
import { countryCodes } from '#contract';

interface RegionLocale {
  getTimeZones?: () => string[] | undefined;
  timeZones?: string[];
}

/** Time zones of a country (ISO 3166-1 alpha-2); null when there is no such country. */
function timeZonesOf(country: string): string[] | null {
  // Some runtimes know zones of countries that ended decades ago.
  if (!countryCodes.includes(country)) return null;
  try {
    const locale = new Intl.Locale('und', { region: country }) as RegionLocale;
    const zones = locale.getTimeZones?.() ?? locale.timeZones;
    return zones && zones.length > 0 ? zones : null;
  } catch {
    // Not even the form of a region code.
    return null;
  }
}

/**
 * The date it is in a country at this instant. Where a country spans several dates the earliest is
 * taken: who is not yet an adult everywhere in it is not let in. Null for an unknown country.
 */
export function todayIn(country: string, now: Date): string | null {
  const zones = timeZonesOf(country);
  if (!zones) return null;
  const [earliest] = zones
    .map((timeZone) => new Intl.DateTimeFormat('en-CA', { timeZone }).format(now))
    .sort();
  return earliest ?? null;
}

/** Whole years between two calendar days; who was born on 29 February is a year older on 1 March. */
export function ageOn(today: string, dateOfBirth: string): number {
  const years = Number(today.slice(0, 4)) - Number(dateOfBirth.slice(0, 4));
  return today.slice(5) >= dateOfBirth.slice(5) ? years : years - 1;
}

/** Whether somebody is of so many years there; null when the country is unknown. */
export function isAdult(
  dateOfBirth: string,
  country: string,
  now: Date,
  adultYears: number,
): boolean | null {
  const today = todayIn(country, now);
  if (today === null) return null;
  return ageOn(today, dateOfBirth) >= adultYears;
}
