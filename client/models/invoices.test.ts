import { expect, test } from 'vitest';
import { ApiError } from './api-error.ts';
import { createInvoices } from './invoices.ts';

function createScene(fails = false) {
  const asked: string[] = [];
  const saved: string[] = [];
  const toasts: string[] = [];
  const invoices = createInvoices({
    money: {
      invoices: async () => ({ invoices: [], nextCursor: null }),
      async invoiceFile(number, format) {
        asked.push(`${number} ${format}`);
        if (fails) throw new ApiError('unavailable', 503, null, 'down');
        return { content: new Blob(['%PDF']), name: null };
      },
    },
    saveFile: (_content, name) => void saved.push(name),
    toasts: { show: (text) => void toasts.push(text) },
  });
  return { invoices, asked, saved, toasts };
}

test('an invoice is saved under its number, one at a time', async () => {
  const { invoices, asked, saved } = createScene();
  const first = invoices.save('LP/26-27/000001', 'pdf');
  expect(invoices.saving.value).toEqual({ number: 'LP/26-27/000001', format: 'pdf' });
  await invoices.save('LP/26-27/000002', 'html');
  await first;
  expect(asked).toEqual(['LP/26-27/000001 pdf']);
  expect(saved).toEqual(['LP-26-27-000001.pdf']);
  expect(invoices.saving.value).toBeNull();
});

test('an invoice that does not come is said', async () => {
  const { invoices, saved, toasts } = createScene(true);
  await invoices.save('LP/26-27/000001', 'html');
  expect(saved).toEqual([]);
  expect(toasts).toHaveLength(1);
});
