// Sealed secrets open where they belong and nowhere else; hashes compare and show nothing.
import { expect, test } from 'vitest';
import { base64url, randomToken } from './secrets.ts';
import { createVault, VaultError } from './vault.ts';

const older = { kid: 'k1', key: randomToken(32) };
const newer = { kid: 'k2', key: randomToken(32) };
const hashKey = randomToken(32);
const context = 'payout-account:11111111-1111-4111-8111-111111111111';

const vaultOf = (...keys: object[]) => createVault(JSON.stringify(keys), hashKey);
const refusal = (code: VaultError['code']) => expect.objectContaining({ name: 'VaultError', code });

test('what is sealed opens again, and never looks the same twice', async () => {
  const vault = await vaultOf(older);
  for (const plaintext of ['', 'an.sharma@okaxis', '{"ifsc":"HDFC0000053"} ₹ अ 🙂']) {
    const sealed = await vault.seal(plaintext, context);
    expect(sealed).toMatch(/^v1\.k1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
    if (plaintext) expect(sealed).not.toContain(plaintext);
    expect(await vault.open(sealed, context)).toBe(plaintext);
    expect(await vault.seal(plaintext, context)).not.toBe(sealed);
  }
});

test('a sealed text that was moved to another row does not open', async () => {
  const vault = await vaultOf(older);
  const sealed = await vault.seal('765432123456789', context);
  for (const other of [`${context}0`, context.slice(0, -1), 'pan']) {
    await expect(vault.open(sealed, other)).rejects.toEqual(refusal('not-authentic'));
  }
});

test('a sealed text with any character changed does not open', async () => {
  const vault = await vaultOf(older, newer);
  const sealed = await vault.seal('765432123456789', context);
  for (const [index, character] of [...sealed].entries()) {
    const changed = sealed.slice(0, index) + (character === 'A' ? 'B' : 'A');
    const attempt = vault.open(changed + sealed.slice(index + 1), context);
    await expect(attempt, `at ${index}`).rejects.toBeInstanceOf(VaultError);
  }
});

test.each([
  ['', 'malformed'],
  ['765432123456789', 'malformed'],
  ['v1.k1.AAAAAAAAAAAAAAAA', 'malformed'],
  ['v1.k1.AAAAAAAAAAAAAAAA.AAAA', 'malformed'],
  ['v1.k1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA.AA', 'malformed'],
  ['v1.k1.AAAA.AAAAAAAAAAAAAAAAAAAAAA', 'malformed'],
  ['v1.k1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAA=', 'malformed'],
  ['v2.k1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA', 'malformed'],
  [`v1.k1.AAAAAAAAAAAAAAAA.${'A'.repeat(20_000)}`, 'malformed'],
  ['v1.k9.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA', 'unknown-key'],
  ['v1.k1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA', 'not-authentic'],
] as const)('%s is refused as %s', async (sealed, code) => {
  const vault = await vaultOf(older);
  await expect(vault.open(sealed, context)).rejects.toEqual(refusal(code));
});

test('after a rotation the new key seals and the old one still opens, until it is gone', async () => {
  const before = await vaultOf(older);
  const sealed = await before.seal('ABCDE1234F', context);
  const during = await vaultOf(newer, older);
  expect(await during.open(sealed, context)).toBe('ABCDE1234F');
  const again = await during.seal('ABCDE1234F', context);
  expect(again).toMatch(/^v1\.k2\./);
  const after = await vaultOf(newer);
  expect(await after.open(again, context)).toBe('ABCDE1234F');
  await expect(after.open(sealed, context)).rejects.toEqual(refusal('unknown-key'));
});

test('another key of the same name opens nothing', async () => {
  const sealed = await (await vaultOf(older)).seal('x', context);
  const other = await vaultOf({ ...older, key: newer.key });
  await expect(other.open(sealed, context)).rejects.toEqual(refusal('not-authentic'));
});

test('a text that is too large, half a character or without a context is not sealed', async () => {
  const vault = await vaultOf(older);
  const largest = 'x'.repeat(8 * 1024);
  expect(await vault.open(await vault.seal(largest, context), context)).toBe(largest);
  await expect(vault.seal(`${largest}x`, context)).rejects.toEqual(refusal('too-large'));
  await expect(vault.keyedHash(`${largest}x`, 'upi')).rejects.toEqual(refusal('too-large'));
  await expect(vault.seal('\ud800', context)).rejects.toThrow('whole characters');
  await expect(vault.seal('x', '')).rejects.toThrow('context');
});

test('a keyed hash is the same for the same value and purpose, through every rotation', async () => {
  const vault = await vaultOf(older);
  const hash = await vault.keyedHash('upi:asha@okaxis', 'instrument');
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(await (await vaultOf(newer)).keyedHash('upi:asha@okaxis', 'instrument')).toBe(hash);
  const others = await Promise.all([
    vault.keyedHash('upi:asha@okaxix', 'instrument'),
    vault.keyedHash('upi:asha@okaxis', 'payout-account'),
    vault.keyedHash('t:upi:asha@okaxis', 'instrumen'),
    (await createVault(JSON.stringify([older]), randomToken(32))).keyedHash(
      'upi:asha@okaxis',
      'instrument',
    ),
  ]);
  expect(new Set([hash, ...others]).size).toBe(5);
  await expect(vault.keyedHash('x', '')).rejects.toThrow('purpose');
  await expect(vault.keyedHash('x', 'a\0b')).rejects.toThrow('purpose');
});

test('a keyed hash is plain HMAC-SHA256, so that it can be made anew anywhere', async () => {
  const vault = await createVault(JSON.stringify([older]), base64url(new Uint8Array(32).fill(7)));
  // printf 'instrument\0upi:asha@okaxis' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07
  expect(await vault.keyedHash('upi:asha@okaxis', 'instrument')).toBe(
    'e586166831a784b80d7316b0a520d73d8e3711ce1f5aebded91d9d1a82fed179',
  );
});

test.each([
  ['not json', hashKey, 'DATA_KEYS: is not a JSON array'],
  ['{}', hashKey, 'DATA_KEYS: is not a JSON array'],
  ['[]', hashKey, 'DATA_KEYS: holds no key'],
  [JSON.stringify(Array(17).fill(older)), hashKey, 'DATA_KEYS: holds more than 16 keys'],
  [JSON.stringify([{ ...older, kid: 'a.b' }]), hashKey, 'DATA_KEYS.0.kid: a kid is'],
  [JSON.stringify([{ ...older, key: 'short' }]), hashKey, 'DATA_KEYS: the key "k1" is not 32'],
  [JSON.stringify([older, { ...newer, kid: 'k1' }]), hashKey, 'two keys have the same kid'],
  [JSON.stringify([older]), '', 'HASH_KEY: is not 32 bytes'],
  [JSON.stringify([older]), older.key, 'HASH_KEY: is one of the DATA_KEYS'],
])('a wrong configuration is named, and its keys are not shown: %#', async (keys, hash, fault) => {
  const error = await createVault(keys, hash).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toEqual(refusal('misconfigured'));
  expect(String(error)).toContain(fault);
  for (const secret of [older.key, newer.key, hashKey]) expect(String(error)).not.toContain(secret);
});

test('everything that is wrong with a configuration is said at once', async () => {
  await expect(createVault('[]', '')).rejects.toThrow(/DATA_KEYS[\s\S]*HASH_KEY/);
});
