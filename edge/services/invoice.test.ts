// Invoices in words and figures: digits, words, dates, tax, and what is refused.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { creditNote, invoice } from '../testing/invoices.ts';
import { dayText, describeInvoice, type InvoiceDocument } from './invoice.ts';
import { amountInWords, percent, rupees, taxLines } from './invoice-amounts.ts';

test('rupees are grouped the Indian way', () => {
  const amounts: [number, string][] = [
    [0, '₹0.00'],
    [1, '₹0.01'],
    [99, '₹0.99'],
    [100, '₹1.00'],
    [99_900, '₹999.00'],
    [100_000, '₹1,000.00'],
    [12_345_600, '₹1,23,456.00'],
    [100_000_005, '₹10,00,000.05'],
    [1_234_567_890_12, '₹1,23,45,67,890.12'],
    [-150, '−₹1.50'],
  ];
  for (const [paise, text] of amounts) expect(rupees(paise)).toBe(text);
  expect(() => rupees(0.5)).toThrow('whole paise');
});

test('amounts are written out by lakh and crore, and paise only where there are some', () => {
  const amounts: [number, string][] = [
    [0, 'Rupees zero only'],
    [1, 'One paisa only'],
    [50, 'Fifty paise only'],
    [100, 'Rupee one only'],
    [101, 'Rupee one and one paisa only'],
    [1_500, 'Rupees fifteen only'],
    [2_099, 'Rupees twenty and ninety-nine paise only'],
    [10_000, 'Rupees one hundred only'],
    [11_500, 'Rupees one hundred fifteen only'],
    [84_661, 'Rupees eight hundred forty-six and sixty-one paise only'],
    [99_900, 'Rupees nine hundred ninety-nine only'],
    [100_000, 'Rupees one thousand only'],
    [1_901_250, 'Rupees nineteen thousand twelve and fifty paise only'],
    [10_000_000, 'Rupees one lakh only'],
    [12_345_600, 'Rupees one lakh twenty-three thousand four hundred fifty-six only'],
    [
      99_99_999_99,
      'Rupees ninety-nine lakh ninety-nine thousand nine hundred ninety-nine and ninety-nine paise only',
    ],
    [1_00_00_000_00, 'Rupees one crore only'],
    [1_00_00_001_00, 'Rupees one crore one only'],
    [
      12_34_56_78_900_00,
      'Rupees one thousand two hundred thirty-four crore fifty-six lakh seventy-eight thousand nine hundred only',
    ],
  ];
  for (const [paise, text] of amounts) expect(amountInWords(paise)).toBe(text);
  expect(() => amountInWords(-1)).toThrow('whole paise');
});

test('no two amounts are written alike', () => {
  const paise = fc.integer({ min: 0, max: 1e12 });
  fc.assert(
    fc.property(paise, paise, (one, other) => {
      expect(amountInWords(one) === amountInWords(other)).toBe(one === other);
      expect(amountInWords(one)).toMatch(/^[A-Z][a-z -]+ only$/);
    }),
  );
});

test('tax is one line of IGST, or two halves in the seller’s own state that add up to the paisa', () => {
  const tax = { gstPaise: 15_239, gstRateBp: 1800 };
  expect(taxLines(tax, '29', null)).toEqual([{ name: 'IGST', rateBp: 1800, paise: 15_239 }]);
  expect(taxLines(tax, '29', '27')).toEqual([{ name: 'IGST', rateBp: 1800, paise: 15_239 }]);
  expect(taxLines(tax, '29', '29')).toEqual([
    { name: 'CGST', rateBp: 900, paise: 7_620 },
    { name: 'SGST', rateBp: 900, paise: 7_619 },
  ]);
  expect(taxLines(tax, '04', '04').map(({ name }) => name)).toEqual(['CGST', 'UTGST']);
  expect([1800, 900, 250, 25, 0].map(percent)).toEqual(['18%', '9%', '2.5%', '0.25%', '0%']);
});

test('a known state is the place of supply, and its tax is split when it is the seller’s', () => {
  const at = (stateCode: string) =>
    describeInvoice({ ...invoice, buyer: { ...invoice.buyer, stateCode } });
  expect(at('29').facts).toContainEqual({ label: 'Place of supply', value: 'Karnataka (29)' });
  expect(at('29').sums.map(({ label }) => label)).toEqual([
    ...['Taxable value', 'CGST at 9%', 'SGST at 9%'],
  ]);
  expect(at('33').facts).toContainEqual({ label: 'Place of supply', value: 'Tamil Nadu (33)' });
  expect(at('33').sums.map(({ label }) => label)).toEqual(['Taxable value', 'IGST at 18%']);
  const abroad = describeInvoice({ ...invoice, buyer: { ...invoice.buyer, country: 'DE' } });
  expect(abroad.facts).toContainEqual({ label: 'Place of supply', value: 'Outside India (DE)' });
});

test('the day is the one in India', () => {
  expect(dayText(new Date('2026-03-31T18:29:59Z'))).toBe('31 March 2026');
  expect(dayText(new Date('2026-03-31T18:30:00Z'))).toBe('1 April 2026');
});

test('a payment without a method says none', () => {
  const paidBy = { ...invoice.paidBy, method: null };
  const labels = describeInvoice({ ...invoice, paidBy }).payment.facts.map(({ label }) => label);
  expect(labels).toEqual(['Reference', 'Received']);
});

test('what does not add up, or lacks what the law asks for, is refused', () => {
  const { original: _, ...withoutOriginal } = creditNote;
  const refused: InvoiceDocument[] = [
    { ...invoice, totalPaise: invoice.totalPaise + 1 },
    { ...invoice, lines: [...invoice.lines, ...invoice.lines] },
    { ...invoice, number: 'LP/2026-27/0000041' },
    { ...invoice, number: 'LP 26-27 41' },
    { ...invoice, number: '' },
    withoutOriginal,
    { ...creditNote, kind: 'invoice' },
  ];
  for (const document of refused) expect(() => describeInvoice(document)).toThrow('assertion');
});
