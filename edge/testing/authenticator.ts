// An authenticator in software (WebAuthn Level 3): makes a P-256 passkey, signs with it, and lies where it is told to.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

interface Question {
  challenge: string;
  rpId?: string;
  rp?: { id: string };
  user?: { id: string };
}

/** What it says instead of the truth. */
export interface Lies {
  origin?: string;
  host?: string;
  challenge?: string;
  type?: string;
  /** False: nobody has shown a finger, a face or a PIN. */
  isVerified?: boolean;
  isPresent?: boolean;
  count?: number;
  userHandle?: string;
  signature?: Uint8Array;
  /** The key that signs. */
  key?: KeyObject;
}

const flags = { present: 0x01, verified: 0x04, hasKey: 0x40 };
const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest();
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

/** CBOR (RFC 8949) of what authenticators say: small maps, numbers, text and bytes. */
function cbor(value: number | string | Uint8Array | Map<number | string, unknown>): Buffer {
  const head = (major: number, size: number) =>
    size < 24
      ? Buffer.from([(major << 5) | size])
      : size < 256
        ? Buffer.from([(major << 5) | 24, size])
        : Buffer.from([(major << 5) | 25, size >> 8, size & 255]);
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return Buffer.concat([head(3, bytes.length), bytes]);
  }
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  const pairs = [...value].flatMap(([key, held]) => [cbor(key), cbor(held as string)]);
  return Buffer.concat([head(5, value.size), ...pairs]);
}

export type Authenticator = ReturnType<typeof createAuthenticator>;

export function createAuthenticator(origin: string) {
  const id = randomBytes(32);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let count = 0;
  let handle = '';

  function clientData(type: string, challenge: string, lies: Lies): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: lies.type ?? type,
        challenge: lies.challenge ?? challenge,
        origin: lies.origin ?? origin,
        crossOrigin: false,
      }),
    );
  }

  function authenticatorData(host: string, lies: Lies, key: Buffer | null): Buffer {
    const counter = Buffer.alloc(4);
    count += 1;
    counter.writeUInt32BE(lies.count ?? count);
    const flag =
      (lies.isPresent === false ? 0 : flags.present) |
      (lies.isVerified === false ? 0 : flags.verified) |
      (key ? flags.hasKey : 0);
    const bytes = [sha256(lies.host ?? host), Buffer.from([flag]), counter];
    if (!key) return Buffer.concat(bytes);
    const length = Buffer.from([id.length >> 8, id.length & 255]);
    return Buffer.concat([...bytes, Buffer.alloc(16), length, id, key]);
  }

  /** The public key as COSE says it (RFC 9053, 7.1): ES256 on P-256. */
  function coseKey(): Buffer {
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    return cbor(
      new Map<number, number | Uint8Array>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]),
    );
  }

  const credential = { id: text(id), rawId: text(id), type: 'public-key' } as const;
  return {
    id: text(id),
    /** As `navigator.credentials.create`. */
    make(question: Question, lies: Lies = {}) {
      handle = question.user?.id ?? '';
      const authData = authenticatorData(question.rp?.id ?? '', lies, coseKey());
      const attestation = new Map<string, string | Uint8Array | Map<string, string>>([
        ['fmt', 'none'],
        ['attStmt', new Map<string, string>()],
        ['authData', authData],
      ]);
      return {
        ...credential,
        clientExtensionResults: {},
        response: {
          clientDataJSON: text(clientData('webauthn.create', question.challenge, lies)),
          attestationObject: text(cbor(attestation)),
          transports: ['internal'],
        },
      };
    },
    /** As `navigator.credentials.get`. */
    show(question: Question, lies: Lies = {}) {
      const data = clientData('webauthn.get', question.challenge, lies);
      const authData = authenticatorData(question.rpId ?? '', lies, null);
      const signed = Buffer.concat([authData, sha256(data)]);
      const signature = lies.signature ?? sign('sha256', signed, lies.key ?? privateKey);
      return {
        ...credential,
        clientExtensionResults: {},
        response: {
          clientDataJSON: text(data),
          authenticatorData: text(authData),
          signature: text(signature),
          userHandle: lies.userHandle ?? handle,
        },
      };
    },
  };
}
