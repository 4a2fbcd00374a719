// Where a performer is paid: Indian bank accounts, UPI addresses and PANs, and how well two names fit.
import { z } from 'zod';

const accountHolderCharsMin = 3;
/** The payout gateway takes no more. */
export const accountHolderCharsMax = 50;
const upiAddressCharsMax = 100;

/** A branch of a bank: four letters of the bank, a zero, six letters or digits. */
export const Ifsc = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z]{4}0[A-Z0-9]{6}$/, 'four letters, a zero, then six letters or digits');

export const BankAccountNumber = z
  .string()
  .trim()
  .regex(/^[0-9]{9,18}$/, '9 to 18 digits');

/** `name@handle`, lower-cased because UPI knows no difference. NPCI allows letters, digits, `.` and `-` in the name. */
export const UpiAddress = z
  .string()
  .trim()
  .toLowerCase()
  .max(upiAddressCharsMax)
  .regex(/^[a-z0-9][a-z0-9.-]+[a-z0-9]@[a-z][a-z0-9]+$/, 'a UPI address, as in name@bank');

/** A tax number. Its fourth letter says whose it is: P a person's, C a company's, H a family's and so on. */
export const Pan = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]$/, 'a PAN, as in ABCPE1234F');

/** As the bank has it; banks and the payout gateway take plain letters only. */
export const AccountHolder = z
  .string()
  .trim()
  .min(accountHolderCharsMin)
  .max(accountHolderCharsMax)
  .regex(/^[A-Za-z0-9][A-Za-z0-9 .'/()-]*[A-Za-z0-9.)]$/, 'the name as the bank writes it');

export const PayoutDetails = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('bank'),
    accountHolder: AccountHolder,
    ifsc: Ifsc,
    accountNumber: BankAccountNumber,
  }),
  z.strictObject({
    kind: z.literal('upi'),
    address: UpiAddress,
    /** As the bank has it. Without it there is nothing to compare, and a person decides. */
    accountHolder: AccountHolder.optional(),
  }),
]);
export type PayoutDetails = z.infer<typeof PayoutDetails>;

/** What may be shown of it: `HDFC ••••1234`, `an••••@okaxis`. */
export function maskOf(details: PayoutDetails): string {
  if (details.kind === 'bank') {
    return `${details.ifsc.slice(0, 4)} ••••${details.accountNumber.slice(-4)}`;
  }
  const [name = '', handle = ''] = details.address.split('@');
  return `${name.slice(0, name.length > 3 ? 2 : 1)}••••@${handle}`;
}

/** What may be shown of it: `ABC••••••F`. */
export function maskPan(pan: string): string {
  return `${pan.slice(0, 3)}••••••${pan.slice(-1)}`;
}

/** `close` is for a person to decide. */
export type NameFit = 'match' | 'close' | 'different';

/** Each word is tried with each: more would take long. */
const namePartsMax = 8;
const misspellingsMax = 1;
/** Words before a name that are no part of it; "Sri" can be one. */
const titles = new Set(['mr', 'mrs', 'ms', 'miss', 'dr', 'shri', 'smt']);

/**
 * How well the name that a bank knows fits the one that was given. The order of the words, case,
 * accents, dots and titles make no difference. It is close when the shorter name is found in the
 * longer one, word by word, where a letter may stand for a word, a cut word for a whole one, and one
 * word may be spelled a little differently, and at least one word is the same.
 */
export function sameName(a: string, b: string): NameFit {
  const [one, other] = [namePartsOf(a), namePartsOf(b)];
  if (one.length === 0 || other.length === 0) return 'different';
  if (one.length > namePartsMax || other.length > namePartsMax) return 'different';
  if (one.toSorted().join(' ') === other.toSorted().join(' ')) return 'match';
  // Run together in the same order: "D Souza" and "DSouza".
  if (one.join('') === other.join('')) return 'match';
  return one.length <= other.length ? fitOf(one, other) : fitOf(other, one);
}

function namePartsOf(name: string): string[] {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  // Banks write whose son, daughter or wife somebody is behind the name.
  const [own = ''] = plain.split(/\b[sdwc]\s*\/\s*o\b/);
  const parts = own.replace(/['’`]/g, '').match(/[\p{L}\p{N}]+/gu) ?? [];
  return parts.filter((part, index) => index > 0 || parts.length === 1 || !titles.has(part));
}

function fitOf(short: readonly string[], long: readonly string[]): NameFit {
  const left = [...long];
  let hasSameWord = false;
  const others = short.filter((word) => {
    const place = left.indexOf(word);
    if (place < 0) return true;
    left.splice(place, 1);
    hasSameWord ||= word.length > 1;
    return false;
  });
  return hasSameWord && canPair(others, left, misspellingsMax) ? 'close' : 'different';
}

/** Whether every word finds a candidate of its own. */
function canPair(words: string[], candidates: string[], misspellings: number): boolean {
  const [word, ...others] = words;
  if (word === undefined) return true;
  return candidates.some((candidate, place) => {
    const left = candidates.toSpliced(place, 1);
    if (isBeginning(word, candidate)) return canPair(others, left, misspellings);
    if (misspellings === 0 || !isSpelledAlike(word, candidate)) return false;
    return canPair(others, left, misspellings - 1);
  });
}

const cutWordCharsMin = 4;

/** A letter for a word, or a word that was cut off, on either side. */
function isBeginning(word: string, other: string): boolean {
  const [short, long] = word.length <= other.length ? [word, other] : [other, word];
  return (short.length === 1 || short.length >= cutWordCharsMin) && long.startsWith(short);
}

/** One letter more or less, or one vowel for another: "Sangeeta" and "Sangeetha", "Mohammad" and "Mohammed". */
function isSpelledAlike(word: string, other: string): boolean {
  const [short, long] = word.length <= other.length ? [word, other] : [other, word];
  if (short.length < cutWordCharsMin || long.length - short.length > 1) return false;
  let start = 0;
  while (start < short.length && short[start] === long[start]) start += 1;
  if (short.length < long.length) return short.slice(start) === long.slice(start + 1);
  const isVowel = (letter = '') => 'aeiouy'.includes(letter);
  const areVowels = isVowel(short[start]) && isVowel(long[start]);
  return areVowels && short.slice(start + 1) === long.slice(start + 1);
}
