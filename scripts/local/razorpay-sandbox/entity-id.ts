// Ids and reference numbers, as Razorpay and the banks make them.
import { randomBytes } from 'node:crypto';

const idCharacters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const idLength = 14;
const utrDigits = 12;

export type EntityPrefix =
  | 'order'
  | 'pay'
  | 'card'
  | 'acc'
  | 'evt'
  | 'rfnd'
  | 'disp'
  | 'adj'
  | 'setl'
  | 'cont'
  | 'fa'
  | 'fav'
  | 'pout'
  /** A transfer of the sandbox's own bank. */
  | 'bank';

/** An id as Razorpay makes them: a prefix and fourteen letters or digits. */
export function newEntityId(prefix: EntityPrefix): string {
  let id = '';
  while (id.length < idLength) {
    for (const byte of randomBytes(idLength)) {
      // Bytes beyond the last whole round of the alphabet would favour its first letters.
      if (byte < 248 && id.length < idLength) id += idCharacters[byte % idCharacters.length];
    }
  }
  return `${prefix}_${id}`;
}

export function randomDigits(count: number): string {
  return Array.from(randomBytes(count), (byte) => String(byte % 10)).join('');
}

/** The unique reference by which banks know a transfer. */
export function newUtr(): string {
  return randomDigits(utrDigits);
}
