import { expect, test } from 'vitest';
import { newTotpSecret, totpAt, totpStep, totpUri } from './totp.ts';

/** `12345678901234567890` of RFC 6238, appendix B, in base32. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

test('the codes are those of RFC 6238, appendix B, in their last six digits', async () => {
  const vectors: [number, string][] = [
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ];
  for (const [seconds, code] of vectors) {
    expect(await totpAt(secret, new Date(seconds * 1000)), String(seconds)).toBe(code);
  }
});

test('a code is taken one step early or late, and named by its step', async () => {
  const at = new Date(1234567890_000);
  const step = Math.floor(1234567890 / 30);
  for (const [seconds, found] of [
    [-60, null],
    [-30, step - 1],
    [0, step],
    [30, step + 1],
    [60, null],
  ] as const) {
    const code = await totpAt(secret, new Date(at.getTime() + seconds * 1000));
    expect(await totpStep(secret, code, at), String(seconds)).toBe(found);
  }
  expect(await totpStep(secret, '', at)).toBeNull();
  expect(await totpStep(secret, '0059244', at)).toBeNull();
});

test('secrets are of 160 bits, and the address of a QR code names everything', () => {
  const secrets = new Set(Array.from({ length: 50 }, newTotpSecret));
  expect(secrets.size).toBe(50);
  for (const one of secrets) expect(one).toMatch(/^[A-Z2-7]{32}$/);
  expect(totpUri('ABC', 'a b@c.d', 'Live Panty')).toBe(
    'otpauth://totp/Live%20Panty:a%20b%40c.d?secret=ABC&issuer=Live%20Panty&algorithm=SHA1&digits=6&period=30',
  );
});
