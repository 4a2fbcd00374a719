// The statement: what has moved a wallet, by kind and by day, in pages, and as a file to keep.
import { computed, signal } from '@preact/signals';
import type { StatementFilter, WalletMove, WalletTransaction } from '#contract';
import { messageOf } from './api-error.ts';
import type { Clock } from './clock.ts';
import type { SaveFile } from './file-saver.ts';
import { daysOf, type Period, periods } from './india-days.ts';
import { createPaged } from './load.ts';
import type { MoneyApi, StatementFormat } from './money-api.ts';
import type { Toasts } from './toasts.ts';

/** What is shown: empty stands for everything. */
export type Shown = { kind: WalletMove | ''; from: string; to: string };

export type StatementDeps = {
  money: Pick<MoneyApi, 'transactions' | 'statement'>;
  clock: Clock;
  saveFile: SaveFile;
  toasts: Pick<Toasts, 'show'>;
};

const everything: Shown = { kind: '', from: '', to: '' };

function filterOf({ kind, from, to }: Shown): StatementFilter {
  return { ...(kind && { kind }), ...(from && { from }), ...(to && { to }) };
}

function fileNameOf({ kind, from, to }: Shown, format: StatementFormat): string {
  return `${['livepanty', kind || 'statement', from, to].filter(Boolean).join('-')}.${format}`;
}

export function createStatement({ money, clock, saveFile, toasts }: StatementDeps) {
  const shown = signal<Shown>(everything);
  const exporting = signal<StatementFormat | null>(null);
  const obstacle = computed(() => {
    const { from, to } = shown.value;
    return from && to && from > to ? 'The first day comes after the last one.' : null;
  });
  const list = createPaged<WalletTransaction>(async (cursor) => {
    const page = await money.transactions(filterOf(shown.peek()), cursor);
    return { items: page.transactions, nextCursor: page.nextCursor };
  });

  function show(change: Partial<Shown>): void {
    shown.value = { ...shown.peek(), ...change };
    // Rows of other filters must not stand under these.
    list.items.value = [];
    list.ready.value = false;
    list.fault.value = null;
    list.hasMore.value = false;
    if (obstacle.peek() === null) list.reload();
  }

  return {
    ...list,
    shown,
    /** Why nothing can be asked for with these filters. */
    obstacle,
    exporting,
    /** The period that the days are, where they are one. */
    period: computed(() => {
      const { from, to } = shown.value;
      return periods.find((period) => {
        const days = daysOf(period, clock.now());
        return days.from === from && days.to === to;
      });
    }),
    isFiltered: computed(() => Object.values(shown.value).some(Boolean)),
    show,
    showPeriod: (period: Period): void => show(daysOf(period, clock.now())),
    clear: (): void => show(everything),
    /** Saves what the filters show, all pages of it. */
    async exportAs(format: StatementFormat): Promise<void> {
      if (exporting.peek() || obstacle.peek()) return;
      const asked = shown.peek();
      exporting.value = format;
      try {
        const { content, name } = await money.statement(filterOf(asked), format);
        saveFile(content, name ?? fileNameOf(asked, format));
      } catch (error) {
        toasts.show(messageOf(error), 'bad');
      } finally {
        exporting.value = null;
      }
    },
  };
}
export type Statement = ReturnType<typeof createStatement>;
