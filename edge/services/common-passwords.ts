// Common passwords: whether a new password is one of the first that others would try.
import { commonPasswordBits } from './common-password-bits.ts';
import { fromBase64, sha256 } from './secrets.ts';

/**
 * A Bloom filter of the 25,000 most used passwords that are long enough to be chosen here. It knows each of them, and
 * takes one of 20,000 others for one of them (1 - e^(-13 · 25,000 / 2^19))^13.
 */
export const filterBits = 2 ** 19;
const placesEach = 13;
const bitsPerPlace = Math.log2(filterBits);

let filter: Uint8Array | null = null;

/** What differs only in case or in how it is written is the same to whoever guesses. */
export const foldPassword = (password: string) => password.normalize('NFKC').toLowerCase();

/** Where a password stands in the filter: pieces of its SHA-256. */
export async function placesOf(folded: string): Promise<number[]> {
  let rest = (await sha256(folded)).reduce((number, byte) => number * 256n + BigInt(byte), 0n);
  const places: number[] = [];
  for (let taken = 0; taken < placesEach; taken += 1) {
    places.push(Number(rest % BigInt(filterBits)));
    rest >>= BigInt(bitsPerPlace);
  }
  return places;
}

/** Whether a password is common. */
export async function isCommonPassword(password: string): Promise<boolean> {
  filter ??= fromBase64(commonPasswordBits);
  const bits = filter;
  const places = await placesOf(foldPassword(password));
  return places.every((place) => ((bits[place >> 3] ?? 0) >> (place & 7)) & 1);
}
