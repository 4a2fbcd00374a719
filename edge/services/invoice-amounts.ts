// Invoice amounts: rupees in digits and in words, rates, and how the tax is split.
import { assert } from '#contract';
import { stateTaxName } from './gst-states.ts';

export interface TaxLine {
  name: 'IGST' | 'CGST' | 'SGST' | 'UTGST';
  rateBp: number;
  paise: number;
}

/** Digits grouped the Indian way: the last three, then pairs. */
export function groupDigits(whole: number): string {
  return String(whole).replace(/(\d)(?=(\d\d)+\d$)/g, '$1,');
}

/** Such as ₹1,23,456.00. */
export function rupees(paise: number): string {
  assert(Number.isSafeInteger(paise), 'an amount in whole paise');
  const size = Math.abs(paise);
  const fraction = String(size % 100).padStart(2, '0');
  return `${paise < 0 ? '−' : ''}₹${groupDigits(Math.floor(size / 100))}.${fraction}`;
}

/** Basis points as a percentage without needless zeros: 18%, 2.5%, 0.25%. */
export function percent(rateBp: number): string {
  return `${rateBp / 100}%`;
}

/**
 * IGST in one line, or its two halves when the buyer's state is known and is the seller's own. An odd
 * paisa falls to the central half, so that the lines always add up to the tax.
 */
export function taxLines(
  tax: { gstPaise: number; gstRateBp: number },
  sellerState: string,
  buyerState: string | null,
): TaxLine[] {
  const { gstPaise, gstRateBp } = tax;
  if (buyerState !== sellerState) return [{ name: 'IGST', rateBp: gstRateBp, paise: gstPaise }];
  const statePaise = Math.floor(gstPaise / 2);
  return [
    { name: 'CGST', rateBp: gstRateBp / 2, paise: gstPaise - statePaise },
    { name: stateTaxName(sellerState), rateBp: gstRateBp / 2, paise: statePaise },
  ];
}

const small = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'],
  ...['eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen'],
  'nineteen',
];
const tens = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const scales: readonly [name: string, size: number][] = [
  ['crore', 10_000_000],
  ['lakh', 100_000],
  ['thousand', 1000],
  ['hundred', 100],
];

/** A whole number in words, by lakh and crore. */
export function numberInWords(whole: number): string {
  for (const [name, size] of scales) {
    if (whole < size) continue;
    const rest = whole % size;
    const head = `${numberInWords(Math.floor(whole / size))} ${name}`;
    return rest === 0 ? head : `${head} ${numberInWords(rest)}`;
  }
  const below = small[whole];
  if (below !== undefined) return below;
  const ten = tens[Math.floor(whole / 10)] ?? '';
  return whole % 10 === 0 ? ten : `${ten}-${small[whole % 10]}`;
}

/** Such as `Rupees one lakh twenty-three thousand and fifty paise only`. */
export function amountInWords(paise: number): string {
  assert(Number.isSafeInteger(paise) && paise >= 0, 'an amount in whole paise');
  const whole = Math.floor(paise / 100);
  const rest = paise % 100;
  const restWords = `${numberInWords(rest)} ${rest === 1 ? 'paisa' : 'paise'}`;
  if (whole === 0 && rest > 0) return `${restWords[0]?.toUpperCase()}${restWords.slice(1)} only`;
  const wholeWords = `${whole === 1 ? 'Rupee' : 'Rupees'} ${numberInWords(whole)}`;
  return rest === 0 ? `${wholeWords} only` : `${wholeWords} and ${restWords} only`;
}
