// The vault: seals secrets that have to be kept and read again, and hashes details that are only compared.
import { z } from 'zod';
import { assert } from '#contract';
import { base64url, fromBase64 } from './secrets.ts';

const version = 'v1';
const algorithm = 'AES-GCM';
const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;
/** A key seals at most 2^32 texts safely: random IVs must not repeat. Rotate long before. */
const dataKeysMax = 16;
const plaintextBytesMax = 8 * 1024;
const sealedCharsMax = 16 * 1024;
const contextCharsMax = 200;
const hashedBytesMax = 8 * 1024;

export interface Vault {
  /**
   * Seals with the first key, as `v1.<kid>.<iv>.<ciphertext>`. Only the same `context`, such as
   * `payout-account:<userId>`, opens it: moved to another row it stays shut. Throws VaultError.
   */
  seal(plaintext: string, context: string): Promise<string>;
  /** Throws VaultError. */
  open(sealed: string, context: string): Promise<string>;
  /**
   * HMAC-SHA256 in hexadecimal: equal values of one `purpose` are equal, and nothing else shows.
   * Its key is never rotated, because a hash cannot be made anew from a hash. Throws VaultError.
   */
  keyedHash(value: string, purpose: string): Promise<string>;
}

type VaultFault = 'misconfigured' | 'too-large' | 'malformed' | 'unknown-key' | 'not-authentic';

/** `not-authentic`: changed, sealed for another context, or sealed with another key of this name. */
export class VaultError extends Error {
  readonly code: VaultFault;

  constructor(code: VaultFault, message: string) {
    super(message);
    this.name = 'VaultError';
    this.code = code;
  }
}

/**
 * `dataKeysJson` (`DATA_KEYS`) is a JSON array of `{ kid, key }`: the first seals, all of them open.
 * `hashKeyText` (`HASH_KEY`) is the key of hashes. Keys are 32 bytes as base64url. Throws VaultError.
 */
export async function createVault(dataKeysJson: string, hashKeyText: string): Promise<Vault> {
  const { dataKeys, hashKeyBytes } = readKeys(dataKeysJson, hashKeyText);
  const keys = new Map(
    await Promise.all(
      dataKeys.map(
        async ({ kid, key }) =>
          [
            kid,
            await crypto.subtle.importKey('raw', key, algorithm, false, ['encrypt', 'decrypt']),
          ] as const,
      ),
    ),
  );
  const [sealing] = keys;
  assert(sealing, 'a vault has a key that seals');
  const [sealingKid, sealingKey] = sealing;
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const hashKey = await crypto.subtle.importKey('raw', hashKeyBytes, hmac, false, ['sign']);

  return {
    async seal(plaintext, context) {
      const bytes = encode(plaintext, plaintextBytesMax);
      const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
      const parameters = { name: algorithm, iv, additionalData: contextBytes(context) };
      const ciphertext = await crypto.subtle.encrypt(parameters, sealingKey, bytes);
      const parts = [base64url(iv), base64url(new Uint8Array(ciphertext))];
      return [version, sealingKid, ...parts].join('.');
    },

    async open(sealed, context) {
      const { kid, iv, ciphertext } = readSealed(sealed);
      const key = keys.get(kid);
      if (!key) throw new VaultError('unknown-key', `there is no data key "${kid}"`);
      const parameters = { name: algorithm, iv, additionalData: contextBytes(context) };
      try {
        return new TextDecoder().decode(await crypto.subtle.decrypt(parameters, key, ciphertext));
      } catch {
        // WebCrypto says no more than that it failed, on purpose.
        throw new VaultError('not-authentic', 'the sealed text does not open in this context');
      }
    },

    async keyedHash(value, purpose) {
      assert(/^[a-z0-9][a-z0-9:-]{0,63}$/.test(purpose), 'a purpose is a short plain name');
      // A purpose has no NUL, so that no purpose and value read like two others.
      const message = encode(`${purpose}\0${value}`, hashedBytesMax);
      const mac = new Uint8Array(await crypto.subtle.sign('HMAC', hashKey, message));
      return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join('');
    },
  };
}

const Kid = z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, 'a kid is 1 to 32 letters, digits, _ and -');
const DataKeys = z
  .array(z.strictObject({ kid: Kid, key: z.string() }), 'is not a JSON array of { kid, key }')
  .min(1, 'holds no key')
  .max(dataKeysMax, `holds more than ${dataKeysMax} keys`);

/** Everything that is wrong in one error, which never shows a key. */
function readKeys(dataKeysJson: string, hashKeyText: string) {
  const faults: string[] = [];
  const parsed = DataKeys.safeParse(parseJson(dataKeysJson));
  for (const { path, message } of parsed.error?.issues ?? []) {
    faults.push(['DATA_KEYS', ...path].join('.').concat(': ', message));
  }
  const dataKeys = (parsed.data ?? []).flatMap(({ kid, key }) => {
    const bytes = readBytes(key, keyBytes);
    if (!bytes) faults.push(`DATA_KEYS: the key "${kid}" is not ${keyBytes} bytes as base64url`);
    return bytes ? [{ kid, key: bytes }] : [];
  });
  if (new Set(dataKeys.map(({ kid }) => kid)).size < dataKeys.length) {
    faults.push('DATA_KEYS: two keys have the same kid');
  }
  const hashKeyBytes = readBytes(hashKeyText, keyBytes);
  if (!hashKeyBytes) faults.push(`HASH_KEY: is not ${keyBytes} bytes as base64url`);
  if (parsed.data?.some(({ key }) => key === hashKeyText)) {
    faults.push('HASH_KEY: is one of the DATA_KEYS; it needs a key of its own');
  }
  if (!hashKeyBytes || faults.length > 0) {
    throw new VaultError('misconfigured', `the vault is not configured:\n  ${faults.join('\n  ')}`);
  }
  return { dataKeys, hashKeyBytes };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message would quote the keys.
    return undefined;
  }
}

function readSealed(sealed: string) {
  const [given, kid, ivText, ciphertextText, ...rest] =
    sealed.length <= sealedCharsMax ? sealed.split('.') : [];
  const iv = readBytes(ivText, ivBytes);
  const ciphertext = readBytes(ciphertextText);
  const isWhole = given === version && kid && rest.length === 0;
  if (!isWhole || !iv || !ciphertext || ciphertext.length < tagBytes) {
    throw new VaultError('malformed', 'this is not a text that the vault has sealed');
  }
  return { kid, iv, ciphertext };
}

/** Null unless it is exactly what these bytes are written as: one sealed text has one spelling. */
function readBytes(text = '', length?: number): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return null;
  const bytes = fromBase64(text);
  if (base64url(bytes) !== text) return null;
  return length === undefined || bytes.length === length ? bytes : null;
}

function encode(text: string, bytesMax: number): Uint8Array<ArrayBuffer> {
  assert(text.isWellFormed(), 'the vault takes whole characters');
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= bytesMax) return bytes;
  throw new VaultError('too-large', `the vault takes at most ${bytesMax} bytes`);
}

function contextBytes(context: string): Uint8Array<ArrayBuffer> {
  assert(context !== '' && context.length <= contextCharsMax, 'a context is a short name');
  return new TextEncoder().encode(context);
}
