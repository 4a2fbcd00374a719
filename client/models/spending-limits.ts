// Spending limits: what somebody allows themselves a day and a month, in tokens tipped and in rupees paid.
import { type Signal, signal } from '@preact/signals';
import type { SetLimitsBody, SpendingLimits } from '#contract';
import { parseRupees, parseWhole, rupeesText } from './amounts.ts';
import { messageOf } from './api-error.ts';
import { createLoaded } from './load.ts';
import type { MoneyApi } from './money-api.ts';

export const limitNames = ['dayTokens', 'monthTokens', 'dayPaise', 'monthPaise'] as const;
export type LimitName = (typeof limitNames)[number];

const amountMax = 1_000_000_000;

/** `now`: all of it counts. `later`: some of it was raised and waits. */
export type LimitsOutcome = 'now' | 'later';

export const isMoney = (name: LimitName): boolean => name.endsWith('Paise');

function textOf(name: LimitName, limit: number | null): string {
  if (limit === null) return '';
  return isMoney(name) ? rupeesText(limit) : String(limit);
}

/** The limit that a text means: null for none, undefined when it is no amount. */
function limitOf(name: LimitName, text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const amount = isMoney(name) ? parseRupees(text) : parseWhole(text);
  return amount === null || amount > amountMax ? undefined : amount;
}

function forEachLimit<T>(make: (name: LimitName) => T): Record<LimitName, T> {
  return Object.fromEntries(limitNames.map((name) => [name, make(name)])) as Record<LimitName, T>;
}

export function createSpendingLimits({ money }: { money: Pick<MoneyApi, 'limits' | 'setLimits'> }) {
  const loaded = createLoaded<SpendingLimits>(money.limits);
  const typed: Record<LimitName, Signal<string>> = forEachLimit(() => signal(''));
  const faults = signal<Partial<Record<LimitName, string>>>({});
  const fault = signal<string | null>(null);
  const busy = signal(false);
  const outcome = signal<LimitsOutcome | null>(null);

  /** The fields hold what is wanted: raised limits that wait, too. */
  function fill(limits: SpendingLimits): void {
    const wanted = limits.next ?? limits;
    for (const name of limitNames) typed[name].value = textOf(name, wanted[name]);
  }

  function read(): SetLimitsBody | null {
    const read = forEachLimit((name) => limitOf(name, typed[name].peek()));
    const wrong = limitNames.filter((name) => read[name] === undefined);
    faults.value = Object.fromEntries(
      wrong.map((name) => [
        name,
        isMoney(name) ? 'An amount in rupees, or nothing.' : 'A whole number, or nothing.',
      ]),
    );
    return wrong.length > 0 ? null : (read as SetLimitsBody);
  }

  return {
    value: loaded.value,
    loadFault: loaded.fault,
    typed,
    faults,
    fault,
    busy,
    outcome,
    async load(): Promise<void> {
      const isFirst = loaded.value.peek() === null;
      await loaded.load();
      const limits = loaded.value.peek();
      // What somebody has typed meanwhile is theirs.
      if (isFirst && limits) fill(limits);
    },
    async save(): Promise<void> {
      if (busy.peek()) return;
      outcome.value = null;
      fault.value = null;
      const body = read();
      if (!body) return;
      busy.value = true;
      try {
        const limits = await money.setLimits(body);
        loaded.value.value = limits;
        fill(limits);
        outcome.value = limits.next ? 'later' : 'now';
      } catch (error) {
        fault.value = messageOf(error);
      } finally {
        busy.value = false;
      }
    },
  };
}
export type SpendingLimitsModel = ReturnType<typeof createSpendingLimits>;

/** How much of a limit is used, from 0 to 1; null where there is no limit. */
export function shareUsed(limits: SpendingLimits, name: LimitName): number | null {
  const limit = limits[name];
  if (limit === null) return null;
  return limit === 0 ? 1 : Math.min(1, Math.max(0, limits.spent[name]) / limit);
}
