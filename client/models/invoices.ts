// Invoices: what was bought and given back, as the tax office wants it, to keep as a page or a PDF.
import { signal } from '@preact/signals';
import type { Invoice } from '#contract';
import { messageOf } from './api-error.ts';
import type { SaveFile } from './file-saver.ts';
import { createPaged } from './load.ts';
import type { InvoiceFormat, MoneyApi } from './money-api.ts';
import type { Toasts } from './toasts.ts';

export type InvoicesDeps = {
  money: Pick<MoneyApi, 'invoices' | 'invoiceFile'>;
  saveFile: SaveFile;
  toasts: Pick<Toasts, 'show'>;
};

export function createInvoices({ money, saveFile, toasts }: InvoicesDeps) {
  const list = createPaged<Invoice & { id: string }>(async (cursor) => {
    const { invoices, nextCursor } = await money.invoices(cursor);
    return { items: invoices.map((invoice) => ({ ...invoice, id: invoice.number })), nextCursor };
  });
  const saving = signal<{ number: string; format: InvoiceFormat } | null>(null);
  return {
    ...list,
    saving,
    async save(number: string, format: InvoiceFormat): Promise<void> {
      if (saving.peek()) return;
      saving.value = { number, format };
      try {
        const { content, name } = await money.invoiceFile(number, format);
        saveFile(content, name ?? `${number.replaceAll('/', '-')}.${format}`);
      } catch (error) {
        toasts.show(messageOf(error), 'bad');
      } finally {
        saving.value = null;
      }
    },
  };
}
export type Invoices = ReturnType<typeof createInvoices>;
