// Amounts in words and as people type them: tokens, and rupees with their paise, without rounding.

const paisePerRupee = 100;
const wholeDigitsMax = 9;

/** The whole number that a text means, or null; blanks and India's commas are no part of it. */
export function parseWhole(text: string): number | null {
  const plain = text.replace(/[\s,]/g, '');
  return /^\d+$/.test(plain) && plain.length <= wholeDigitsMax ? Number(plain) : null;
}

/** The paise that a text in rupees means ("1,250", "99.5"), or null. */
export function parseRupees(text: string): number | null {
  const [, whole, part = ''] = /^₹?(\d+)(?:\.(\d{1,2}))?$/.exec(text.replace(/[\s,]/g, '')) ?? [];
  if (whole === undefined || whole.length > wholeDigitsMax) return null;
  return Number(whole) * paisePerRupee + Number(part.padEnd(2, '0'));
}

/** Paise as they would be typed: 125050 as "1250.50". */
export function rupeesText(paise: number): string {
  const [whole, part] = [Math.floor(paise / paisePerRupee), paise % paisePerRupee];
  return part === 0 ? String(whole) : `${whole}.${String(part).padStart(2, '0')}`;
}

/** "₹1,250" or "₹99.50", for sentences of models. */
export function inRupees(paise: number): string {
  const digits = paise % paisePerRupee === 0 ? 0 : 2;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return `₹${(paise / paisePerRupee).toLocaleString('en-IN', options)}`;
}
