// A certificate for the loopback address, made anew for each test: no key of ours lies anywhere.
import { createSign, generateKeyPairSync } from 'node:crypto';

const validMs = 3_600_000;

/** One DER value: its tag, its length, and what is in it (X.690). */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
}

/** In as few bytes as it takes: whoever reads DER may insist on it. */
function lengthOf(bytes: number): number[] {
  if (bytes < 0x80) return [bytes];
  return bytes < 0x100 ? [0x81, bytes] : [0x82, bytes >> 8, bytes & 0xff];
}

const sequence = (...content: Uint8Array[]) => der(0x30, ...content);
const hex = (text: string) => Buffer.from(text, 'hex');
const time = (at: number) =>
  der(0x17, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

/** ecdsa-with-SHA256 */
const algorithm = sequence(der(0x06, hex('2a8648ce3d040302')));
const commonName = sequence(
  der(0x31, sequence(der(0x06, hex('550403')), der(0x0c, Buffer.from('localhost')))),
);
/** `127.0.0.1`, as the other name of its subject. */
const alternativeName = sequence(
  der(0x06, hex('551d11')),
  der(0x04, sequence(der(0x87, Buffer.from([127, 0, 0, 1])))),
);

/** A key, and a certificate that it has signed itself (RFC 5280), both as PEM. */
export function makeCertificate(now = Date.now()): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const facts = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    commonName,
    sequence(time(now - validMs), time(now + validMs)),
    commonName,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(alternativeName)),
  );
  const signature = createSign('sha256').update(facts).sign(privateKey);
  const whole = sequence(facts, algorithm, der(0x03, Buffer.from([0]), signature));
  return {
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    cert: pemOf(whole),
  };
}

function pemOf(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
