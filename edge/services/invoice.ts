// Invoices and credit notes: what one of them holds, and every text on it, in the order it is read.
import { assert } from '#contract';
import { stateText } from './gst-states.ts';
import { amountInWords, groupDigits, percent, rupees, taxLines } from './invoice-amounts.ts';

export interface InvoiceDocument {
  number: string;
  kind: 'invoice' | 'credit-note';
  issuedAt: Date;
  /** `stateCode` is the two digits of the GST state, `sac` the services accounting code of what is sold. */
  seller: { name: string; address: string; gstin: string; stateCode: string; sac: string };
  /** `country` is ISO 3166-1 alpha-2; `stateCode` the GST state, where it is known. */
  buyer: { name: string; email: string; country: string; stateCode?: string | null };
  lines: readonly { description: string; tokens: number; netPaise: number }[];
  netPaise: number;
  gstRateBp: number;
  gstPaise: number;
  totalPaise: number;
  paidBy: { gatewayPaymentId: string; method: string | null; capturedAt: Date };
  /** For a credit note: the invoice that it corrects. */
  original?: { number: string; issuedAt: Date };
}

export interface Fact {
  label: string;
  value: string;
}

export interface Party {
  heading: string;
  name: string;
  lines: string[];
}

/** All that stands on the paper, in words; the HTML page and the PDF only place it. */
export interface InvoiceText {
  title: string;
  copy: string;
  facts: Fact[];
  supplier: Party;
  recipient: Party;
  columns: { description: string; tokens: string; value: string };
  rows: { description: string; detail: string; tokens: string; value: string }[];
  sums: Fact[];
  total: Fact;
  words: Fact;
  payment: { heading: string; facts: Fact[] };
  signature: { heading: string; note: string };
}

/** Rule 46(b) of the CGST Rules, 2017: at most sixteen letters, digits, dashes and slashes. */
const numberPattern = /^[A-Za-z0-9/-]{1,16}$/;

/** Throws when the amounts do not add up, or what the law asks for is missing. */
export function describeInvoice(document: InvoiceDocument): InvoiceText {
  const { seller, buyer, kind, original } = document;
  const lineSum = document.lines.reduce((sum, line) => sum + line.netPaise, 0);
  assert(numberPattern.test(document.number), 'a serial number that the CGST Rules allow');
  assert(
    document.netPaise + document.gstPaise === document.totalPaise,
    'net and tax make the total',
  );
  assert(lineSum === document.netPaise, 'the lines make the net');
  assert((kind === 'credit-note') === (original !== undefined), 'a credit note names its invoice');
  const credit = kind === 'credit-note';
  return {
    title: credit ? 'Credit note' : 'Tax invoice',
    copy: credit ? 'Under section 34 of the CGST Act, 2017' : 'Original for recipient',
    facts: [
      { label: credit ? 'Credit note number' : 'Invoice number', value: document.number },
      { label: 'Date of issue', value: dayText(document.issuedAt) },
      ...(original
        ? [
            { label: 'Corrects invoice', value: original.number },
            { label: 'Date of that invoice', value: dayText(original.issuedAt) },
          ]
        : []),
      { label: 'Place of supply', value: placeOfSupply(buyer) },
      { label: 'Reverse charge', value: 'No' },
    ],
    supplier: {
      heading: 'Supplier',
      name: seller.name,
      lines: [
        ...linesOf(seller.address),
        `State: ${stateText(seller.stateCode)}`,
        `GSTIN: ${seller.gstin}`,
      ],
    },
    recipient: {
      heading: 'Recipient',
      name: buyer.name,
      lines: [buyer.email, `Country: ${countryText(buyer.country)}`, 'GSTIN: not given'],
    },
    columns: { description: 'Description', tokens: 'Tokens', value: 'Taxable value' },
    rows: document.lines.map((line) => ({
      description: line.description,
      detail: `SAC ${seller.sac}`,
      tokens: groupDigits(line.tokens),
      value: rupees(line.netPaise),
    })),
    sums: [
      { label: 'Taxable value', value: rupees(document.netPaise) },
      ...taxLines(document, seller.stateCode, buyer.stateCode ?? null).map((tax) => ({
        label: `${tax.name} at ${percent(tax.rateBp)}`,
        value: rupees(tax.paise),
      })),
    ],
    total: { label: credit ? 'Total credited' : 'Total paid', value: rupees(document.totalPaise) },
    words: { label: 'Amount in words', value: amountInWords(document.totalPaise) },
    payment: {
      heading: credit ? 'Payment it returns' : 'Payment',
      facts: paymentFacts(document.paidBy),
    },
    signature: {
      heading: `For ${seller.name}`,
      note: credit
        ? 'Computer-generated and issued electronically; no signature is required.'
        : 'Computer-generated and issued electronically; no signature is required (rule 46 of the CGST Rules, 2017).',
    },
  };
}

function paymentFacts(paidBy: InvoiceDocument['paidBy']): Fact[] {
  return [
    ...(paidBy.method ? [{ label: 'Method', value: methodText(paidBy.method) }] : []),
    { label: 'Reference', value: paidBy.gatewayPaymentId },
    { label: 'Received', value: momentText(paidBy.capturedAt) },
  ];
}

const methods: Readonly<Record<string, string>> = {
  upi: 'UPI',
  card: 'Card',
  netbanking: 'Net banking',
  wallet: 'Wallet',
  emi: 'EMI',
  paylater: 'Pay later',
};

function methodText(method: string): string {
  return Object.hasOwn(methods, method) ? (methods[method] ?? method) : method;
}

/** Where the law sees the supply. Without the buyer's state no more can be said than the country. */
function placeOfSupply(buyer: InvoiceDocument['buyer']): string {
  if (buyer.stateCode) return stateText(buyer.stateCode);
  if (buyer.country === 'IN') return 'India (state not on record)';
  return `Outside India (${buyer.country})`;
}

/** Country names of `Intl` change with its version, and a document must not change with them. */
function countryText(country: string): string {
  return country === 'IN' ? 'India' : country;
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Indian time is the same all year. */
const indiaOffsetMs = 5.5 * 3_600_000;
const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September'],
  ...['October', 'November', 'December'],
];

/** The day in India, such as `5 November 2026`. */
export function dayText(instant: Date): string {
  const local = new Date(instant.getTime() + indiaOffsetMs);
  return `${local.getUTCDate()} ${months[local.getUTCMonth()]} ${local.getUTCFullYear()}`;
}

function momentText(instant: Date): string {
  const local = new Date(instant.getTime() + indiaOffsetMs);
  return `${dayText(instant)}, ${local.toISOString().slice(11, 16)} IST`;
}
