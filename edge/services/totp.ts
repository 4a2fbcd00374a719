// Time-based one-time passwords (RFC 6238), as authenticator apps make them.

/** What every app supports: SHA-1, six digits, a new one each half minute. */
const digits = 6;
const stepSeconds = 30;
/** 160 bits, as RFC 4226 (section 4, R6) recommends. */
const secretBytes = 20;
/** A code of one step before or after is taken as well: clocks differ, and people type slowly. */
const stepsApart = 1;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new secret in base32 (RFC 4648), as apps take it. */
export function newTotpSecret(): string {
  let bits = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(secretBytes))) {
    bits += byte.toString(2).padStart(8, '0');
  }
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('');
}

function bytesOf(secret: string): Uint8Array<ArrayBuffer> {
  const bits = Array.from(secret, (letter) =>
    alphabet.indexOf(letter).toString(2).padStart(5, '0'),
  ).join('');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (eight) => Number.parseInt(eight, 2));
}

/** The address that an app reads from a QR code (Key Uri Format). */
export function totpUri(secret: string, account: string, issuer: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${digits}&period=${stepSeconds}`;
}

/** The code of a step (RFC 4226, section 5.3). */
async function codeOf(key: CryptoKey, step: number): Promise<string> {
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(step));
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, counter.buffer));
  const offset = mac.getUint8(19) & 15;
  const number = (mac.getUint32(offset) & 0x7fffffff) % 10 ** digits;
  return String(number).padStart(digits, '0');
}

const keyOf = (secret: string) =>
  crypto.subtle.importKey('raw', bytesOf(secret), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign']);

/** When the code of a moment makes way for the next one. */
export function totpStepEnd(at: Date): Date {
  const stepMs = stepSeconds * 1000;
  return new Date((Math.floor(at.getTime() / stepMs) + 1) * stepMs);
}

/** The code at a moment. */
export async function totpAt(secret: string, at: Date): Promise<string> {
  return codeOf(await keyOf(secret), Math.floor(at.getTime() / 1000 / stepSeconds));
}

/**
 * The step that a code is of, near a moment; null when it is wrong. All steps are looked at, so that the time it
 * takes says nothing.
 */
export async function totpStep(secret: string, code: string, at: Date): Promise<number | null> {
  const key = await keyOf(secret);
  const now = Math.floor(at.getTime() / 1000 / stepSeconds);
  let found: number | null = null;
  for (let step = now - stepsApart; step <= now + stepsApart; step += 1) {
    const right = await codeOf(key, step);
    let difference = right.length ^ code.length;
    for (let index = 0; index < right.length; index += 1) {
      difference |= right.charCodeAt(index) ^ code.charCodeAt(index);
    }
    if (difference === 0) found = step;
  }
  return found;
}
