// India's days, by which statements and limits go, whatever clock the browser keeps.

const offsetMs = 5.5 * 3_600_000;
const financialYearMonth = 3;

export const periods = ['all', 'this-month', 'last-month', 'financial-year'] as const;
export type Period = (typeof periods)[number];
export type Days = { from: string; to: string };

const dayText = (year: number, month: number, day: number): string =>
  new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);

/** The first and the last day of a period, as YYYY-MM-DD; empty where it has no end. */
export function daysOf(period: Period, nowMs: number): Days {
  const now = new Date(nowMs + offsetMs);
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  switch (period) {
    case 'all':
      return { from: '', to: '' };
    case 'this-month':
      return { from: dayText(year, month, 1), to: '' };
    case 'last-month':
      return { from: dayText(year, month - 1, 1), to: dayText(year, month, 0) };
    case 'financial-year':
      return {
        from: dayText(month < financialYearMonth ? year - 1 : year, financialYearMonth, 1),
        to: '',
      };
  }
}

/** Today in India, as YYYY-MM-DD. */
export function indiaDay(nowMs: number): string {
  return new Date(nowMs + offsetMs).toISOString().slice(0, 10);
}
