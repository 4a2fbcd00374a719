// The policy of passwords: what many use, or what somebody is called, is refused; everything else is theirs to choose.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { passwordCharsMin } from '#contract';
import { commonPasswordBits } from './common-password-bits.ts';
import { filterBits, isCommonPassword } from './common-passwords.ts';
import { checkNewPassword } from './password-policy.ts';
import { fromBase64 } from './secrets.ts';

const person = { username: 'Asha_1', email: 'mira.k@example.com' };
const reasonOf = (password: string) =>
  checkNewPassword(password, person).then(
    () => null,
    (error) => `${error.code} ${error.extensions.reason}`,
  );

test.each([
  'password123',
  'PASSWORD123',
  'qwertyuiop',
  '1234567890',
  '1q2w3e4r5t',
  'iloveyou123',
  'basketball',
  // The same letters, written wide.
  'ｐａｓｓｗｏｒｄ１２３',
])('%s is common', async (password) => {
  expect(await reasonOf(password)).toBe('password-common list');
});

test.each(['xx asha_1 xx', 'MIRA.K was here', 'my LivePanty login', 'ＡＳＨＡ_1 and more'])(
  '%s holds a name',
  async (password) => {
    expect(await reasonOf(password)).toBe('password-common name');
  },
);

test.each([
  'correct horse battery',
  'अपना पासवर्ड चुनें',
  '🐎🔋🖇️ staple',
  '          x',
  'aaaaaaaaaaaaab',
])('%s is somebody’s own', async (password) => {
  expect(await reasonOf(password)).toBeNull();
});

test('a short name stands in a password by chance', async () => {
  expect(
    await checkNewPassword('a short walk home', {
      username: 'walk',
      email: 'al@example.com',
    }).catch(({ code }) => code),
  ).toBe('password-common');
  await checkNewPassword('a short walk home', { username: 'ash', email: 'al@example.com' });
});

test('the filter holds more than ten thousand, and takes fewer than one of ten thousand others for one of them', async () => {
  const set = fromBase64(commonPasswordBits).reduce(
    (count, byte) => count + byte.toString(2).replaceAll('0', '').length,
    0,
  );
  // How many stand in it, by how full it is.
  const held = (-filterBits / 13) * Math.log(1 - set / filterBits);
  expect(held).toBeGreaterThan(24_000);
  expect((set / filterBits) ** 13).toBeLessThan(1e-4);

  let taken = 0;
  const tries = 20_000;
  for (let turn = 0; turn < tries; turn += 1) {
    if (await isCommonPassword(randomBytes(passwordCharsMin).toString('base64'))) taken += 1;
  }
  // One is expected; more than eight come once in a million runs.
  expect(taken).toBeLessThanOrEqual(8);
});
