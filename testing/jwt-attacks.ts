// Attacks on tokens: every way that we know of to make a verifier believe what nobody of ours has said.
import {
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';

export interface Attack {
  name: string;
  token: string;
}

interface Target {
  /** The private JWK that signs what is good. */
  jwk: { kid: string; x: string; d: string };
  /** The type, and the claims of a token that would be let in. */
  type: string;
  claims: Record<string, unknown>;
  /** Types of our other tokens. */
  otherTypes: readonly string[];
}

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** The order of the group of Ed25519's base point (RFC 8032, section 5.1). */
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) + BigInt(byte), 0n);
}

/** The same signature with the group's order added to its scalar: who does not check the range takes both. */
function malleated(signature: Buffer): Buffer {
  let scalar = littleEndian(signature.subarray(32)) + groupOrder;
  const bytes = Buffer.alloc(32);
  for (let at = 0; at < 32; at += 1) {
    bytes[at] = Number(scalar & 255n);
    scalar >>= 8n;
  }
  return Buffer.concat([signature.subarray(0, 32), bytes]);
}

/** A token that is good, and many that are not. */
export function jwtAttacks({ jwk, type, claims, otherTypes }: Target): {
  good: string;
  attacks: Attack[];
} {
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', ...jwk }, format: 'jwk' });
  const foreign = generateKeyPairSync('ed25519').privateKey;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const other448 = generateKeyPairSync('ed448').privateKey;
  const header = { alg: 'EdDSA', kid: jwk.kid, typ: type };
  const now = Math.floor(Date.now() / 1000);

  const signed = (
    head: unknown,
    body: unknown,
    by: KeyObject = key,
    hash: string | null = null,
  ) => {
    const input = `${encode(head)}.${encode(body)}`;
    return `${input}.${sign(hash, Buffer.from(input), by).toString('base64url')}`;
  };
  const mac = (head: unknown, secret: string | Buffer) => {
    const input = `${encode(head)}.${encode(claims)}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  };
  const withHeader = (more: object) => signed({ ...header, ...more }, claims);
  const withClaims = (more: object) => signed(header, { ...claims, ...more });
  const without = (name: string) =>
    signed(header, Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name)));

  const good = signed(header, claims);
  const [head = '', body = '', signature = ''] = good.split('.');
  const raw = Buffer.from(signature, 'base64url');
  const changed = encode({ ...claims, sub: '00000000-0000-7000-8000-000000000000' });
  const publicJwk = { kty: 'OKP', crv: 'Ed25519', x: jwk.x };

  const made: Record<string, string> = {
    'no algorithm': `${encode({ ...header, alg: 'none' })}.${body}.`,
    'no algorithm, spelt otherwise': `${encode({ ...header, alg: 'NoNe' })}.${body}.`,
    'no algorithm, with a signature': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
    'an algorithm that is left out': signed({ kid: jwk.kid, typ: type }, claims),
    'an empty algorithm': withHeader({ alg: '' }),
    'HS256 with the public key as secret': mac({ ...header, alg: 'HS256' }, jwk.x),
    'HS256 with the bytes of the public key': mac(
      { ...header, alg: 'HS256' },
      Buffer.from(jwk.x, 'base64url'),
    ),
    'HS256 with the key set as secret': mac({ ...header, alg: 'HS256' }, JSON.stringify(publicJwk)),
    'HS256 with an empty secret': mac({ ...header, alg: 'HS256' }, ''),
    'HS256 with the name of the key as secret': mac({ ...header, alg: 'HS256' }, jwk.kid),
    'RS256 by a key of the attacker': signed({ ...header, alg: 'RS256' }, claims, rsa, 'sha256'),
    'ES256 by a key of the attacker': signed({ ...header, alg: 'ES256' }, claims, curve, 'sha256'),
    'Ed448 by a key of the attacker': signed(header, claims, other448),
    'EdDSA by a key of the attacker, under our name': signed(header, claims, foreign),
    'a key of the attacker in the header': signed(
      { ...header, jwk: foreign.export({ format: 'jwk' }) },
      claims,
      foreign,
    ),
    'our key in the header, and a signature of the attacker': signed(
      { ...header, jwk: publicJwk },
      claims,
      foreign,
    ),
    'an address of keys in the header': signed(
      { ...header, jku: 'http://127.0.0.1:1/jwks.json' },
      claims,
      foreign,
    ),
    'a certificate in the header': signed(
      { ...header, x5u: 'http://127.0.0.1:1/cert.pem', x5c: ['MA=='] },
      claims,
      foreign,
    ),
    'no name of a key': signed({ alg: 'EdDSA', typ: type }, claims, foreign),
    'a name of a key that is a path': signed(
      { ...header, kid: '../../../dev/null' },
      claims,
      foreign,
    ),
    'a name of a key that is SQL': signed({ ...header, kid: "' union select 'x" }, claims, foreign),
    'a name of a key that is a property': signed({ ...header, kid: '__proto__' }, claims, foreign),
    'a name of a key that is a list': signed({ ...header, kid: [jwk.kid] }, claims),
    'an unknown key': signed({ ...header, kid: 'unknown' }, claims),
    'a critical header that nobody knows': withHeader({ crit: ['exp2'], exp2: now }),
    'a payload that is not encoded': withHeader({ crit: ['b64'], b64: false }),
    'another issuer': withClaims({ iss: 'evil' }),
    'no issuer': without('iss'),
    'another audience': withClaims({ aud: 'somebody-else' }),
    'no audience': without('aud'),
    'an end that is past': withClaims({ exp: now - 60 }),
    'no end': without('exp'),
    'an end that is text': withClaims({ exp: '9999999999' }),
    'an end that is none': withClaims({ exp: null }),
    'an end that is no number': signed(
      header,
      JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999'),
    ),
    'a beginning that is to come': withClaims({ nbf: now + 600 }),
    'made in the future': withClaims({ iat: now + 600 }),
    'no moment at which it was made': without('iat'),
    'no name of its own': without('jti'),
    'a subject that is none': withClaims({ sub: 7 }),
    'no subject': without('sub'),
    'another subject under the old signature': `${head}.${changed}.${signature}`,
    'another header under the old signature': `${encode({ ...header, extra: 1 })}.${body}.${signature}`,
    'no signature': `${head}.${body}.`,
    'a signature that is cut': `${head}.${body}.${raw.subarray(0, 63).toString('base64url')}`,
    'a signature that is longer': `${head}.${body}.${Buffer.concat([raw, raw]).toString('base64url')}`,
    'a signature of zeros': `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
    'a signature with another scalar': `${head}.${body}.${malleated(raw).toString('base64url')}`,
    'a signature whose first bit is turned': `${head}.${body}.${Buffer.from(raw.map((byte, at) => (at === 0 ? byte ^ 1 : byte))).toString('base64url')}`,
    'a fourth part': `${good}.${signature}`,
    'two parts': `${head}.${body}`,
    'a payload that is no JSON': signed(header, 'not json'),
    'a payload that is a list': signed(header, [claims]),
    'a header that is no JSON': `${encode('not json')}.${body}.${signature}`,
    'five parts, as if encrypted': `${head}.${body}.${signature}.${signature}.${signature}`,
    'a token within a token': signed({ ...header, cty: 'JWT' }, good),
    'spaces around': ` ${good} `,
    padding: `${head}.${body}.${signature}=`,
    'a line break within': `${head}.\n${body}.${signature}`,
    'a megabyte': signed(header, { ...claims, more: 'x'.repeat(8_000) }).slice(0, -8),
    ...Object.fromEntries(
      otherTypes.map((other) => [`the type ${other}`, withHeader({ typ: other })]),
    ),
    ...('rev' in claims
      ? {
          'no number of revocations': without('rev'),
          'a negative number of revocations': withClaims({ rev: -1 }),
        }
      : {}),
    'no type': signed({ alg: 'EdDSA', kid: jwk.kid }, claims),
    'the type of any token': withHeader({ typ: 'JWT' }),
  };
  return { good, attacks: Object.entries(made).map(([name, token]) => ({ name, token })) };
}
