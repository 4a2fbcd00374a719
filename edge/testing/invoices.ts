// Invoices for tests, and what the law wants to see on them.
import type { InvoiceDocument } from '../services/invoice.ts';

export const invoice: InvoiceDocument = {
  number: 'LP/26-27/0000041',
  kind: 'invoice',
  issuedAt: new Date('2026-11-05T08:35:12Z'),
  seller: {
    name: 'LivePanty Media Private Limited',
    address: '4th Floor, 17 Residency Road\nBengaluru 560025, Karnataka, India',
    gstin: '29AAAAA0000A1Z5',
    stateCode: '29',
    sac: '998439',
  },
  buyer: { name: 'lakshmi_92', email: 'lakshmi@example.com', country: 'IN' },
  lines: [{ description: 'Package of 1,50,000 tokens', tokens: 150_000, netPaise: 12_345_678 }],
  netPaise: 12_345_678,
  gstRateBp: 1800,
  gstPaise: 2_222_222,
  totalPaise: 14_567_900,
  paidBy: {
    gatewayPaymentId: 'pay_RkT2xq9LmZ41aB',
    method: 'upi',
    capturedAt: new Date('2026-11-05T08:35:07Z'),
  },
};

export const creditNote: InvoiceDocument = {
  ...invoice,
  number: 'LC/26-27/0000003',
  kind: 'credit-note',
  // Past midnight in India.
  issuedAt: new Date('2026-11-19T20:35:12Z'),
  original: { number: invoice.number, issuedAt: invoice.issuedAt },
};

/** Rule 46 of the CGST Rules, 2017, clause by clause, and what is ours. */
export const onInvoice: readonly string[] = [
  'Tax invoice',
  ...['LivePanty Media Private Limited', '4th Floor, 17 Residency Road'],
  ...['Bengaluru 560025, Karnataka, India', 'GSTIN: 29AAAAA0000A1Z5', 'State: Karnataka (29)'],
  'LP/26-27/0000041',
  '5 November 2026',
  ...['lakshmi_92', 'lakshmi@example.com', 'Country: India', 'GSTIN: not given'],
  'SAC 998439',
  ...['Package of 1,50,000 tokens', '1,50,000'],
  '₹1,23,456.78',
  'IGST at 18%',
  '₹22,222.22',
  '₹1,45,679.00',
  'Rupees one lakh forty-five thousand six hundred seventy-nine only',
  ...['Place of supply', 'India (state not on record)'],
  ...['Reverse charge', 'No'],
  ...['For LivePanty Media Private Limited', 'Computer-generated', 'no signature is required'],
  'Original for recipient',
  ...['UPI', 'pay_RkT2xq9LmZ41aB', '5 November 2026, 14:05 IST'],
];

/** Rule 53: the same of a credit note, and which invoice it corrects. */
export const onCreditNote: readonly string[] = [
  ...onInvoice.filter((text) => !['Tax invoice', 'Original for recipient'].includes(text)),
  'Credit note',
  'Under section 34 of the CGST Act, 2017',
  'LC/26-27/0000003',
  '20 November 2026',
  'Corrects invoice',
  'Total credited',
];

/** Names that would break out of markup, columns, fonts and pages. */
export const hostile: InvoiceDocument = {
  ...invoice,
  seller: {
    ...invoice.seller,
    name: `A & B <script>alert(1)</script> "x" 'y'`,
    address: `<img src=x onerror=alert(1)>\n${'Unending'.repeat(30)}`,
  },
  buyer: {
    name: `</style></title><script>alert(2)</script>\u202E\u0000gnp.exe ${'W'.repeat(150)} 王 😀 Łukasz`,
    email: `${'a'.repeat(64)}@${'b'.repeat(60)}.example.com`,
    country: 'US',
  },
  lines: Array.from({ length: 40 }, (_, index) => ({
    description: `${'Long '.repeat(index)}<b>${index}</b>`,
    tokens: 999_999_999,
    netPaise: index === 0 ? 12_345_678 - 39 : 1,
  })),
  paidBy: { ...invoice.paidBy, method: '<i>x</i>' },
};
