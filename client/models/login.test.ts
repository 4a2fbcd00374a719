import { expect, test } from 'vitest';
import { createFakePasskeys, signedCredential } from '../testing/fake-passkeys.ts';
import { settled } from '../testing/manual-clock.ts';
import { refusalOf } from '../testing/refusal.ts';
import { createLogin, type LoginDeps } from './login.ts';

type Calls = { name: string; with: unknown }[];

function createScene(
  answers: Partial<Record<keyof LoginDeps['session'], unknown[]>> = {},
  has: Parameters<typeof createFakePasskeys>[0] = {},
) {
  const calls: Calls = [];
  const answer = async (name: keyof LoginDeps['session'], ...given: unknown[]): Promise<void> => {
    calls.push({ name, with: given.length > 1 ? given : given[0] });
    const next = answers[name]?.shift();
    if (next) throw next;
  };
  const fake = createFakePasskeys(has);
  const login = createLogin({
    passkeys: fake.passkeys,
    session: {
      login: (email, password, keepAccount) =>
        answer('login', email, password, ...(keepAccount ? [keepAccount] : [])),
      loginWithCode: (body) => answer('loginWithCode', body),
      async askForPasskey() {
        await answer('askForPasskey');
        return { challengeId: 'passkey-challenge', options: { challenge: 'AAAA' } };
      },
      loginWithPasskey: (body) => answer('loginWithPasskey', body),
    },
  });
  const named = (name: string) => calls.filter((call) => call.name === name);
  return { login, calls, named, ...fake };
}

const needed = () => refusalOf('second-factor-needed', { challengeId: 'the-challenge' });

async function untilCode(scene: ReturnType<typeof createScene>) {
  const { password } = scene.login;
  password.typed.email.value = ' Mira@Example.com ';
  password.typed.password.value = ' secret ';
  await password.submit();
}

test('a password alone logs in where the account has no second factor', async () => {
  const scene = createScene();
  await untilCode(scene);
  expect(scene.calls).toEqual([{ name: 'login', with: ['mira@example.com', ' secret '] }]);
  expect(scene.login.challenge.value).toBeNull();
});

test('where a second factor is needed the code answers the challenge', async () => {
  const scene = createScene({ login: [needed()] });
  await untilCode(scene);
  const { login } = scene;
  expect(login.challenge.value).toBe('the-challenge');
  expect(login.password.fault.value).toBeNull();
  login.code.typed.code.value = '123 456';
  await login.code.submit();
  expect(scene.named('loginWithCode')).toEqual([
    {
      name: 'loginWithCode',
      with: { challengeId: 'the-challenge', code: '123456', keepAccount: false },
    },
  ]);
});

test('a recovery code is taken in place of a code, as it was written down', async () => {
  const scene = createScene({ login: [needed()] });
  await untilCode(scene);
  const { code } = scene.login;
  code.use('recovery');
  code.typed.code.value = 'ABCD-efgh 2345-6789 jkmn-pqrs';
  await code.submit();
  expect(scene.named('loginWithCode')[0]?.with).toMatchObject({ code: 'abcdefgh23456789jkmnpqrs' });
});

test('a wrong code is said beside the field, and half a code is not sent', async () => {
  const scene = createScene({
    login: [needed()],
    loginWithCode: [refusalOf('second-factor-wrong')],
  });
  await untilCode(scene);
  const { code, challenge } = scene.login;
  code.typed.code.value = '12345';
  await code.submit();
  expect(scene.named('loginWithCode')).toEqual([]);
  expect(code.faults.value.code).toMatch(/Six digits/);
  code.typed.code.value = '123456';
  await code.submit();
  expect(code.faults.value.code).toMatch(/wrong, or was used/);
  expect(challenge.value).toBe('the-challenge');
});

test('a challenge that is over leads back to the password, with words and without the password', async () => {
  const scene = createScene({ login: [needed()], loginWithCode: [refusalOf('session-expired')] });
  await untilCode(scene);
  const { code, challenge, told, password } = scene.login;
  code.typed.code.value = '123456';
  await code.submit();
  expect(challenge.value).toBeNull();
  expect(told.value).toMatch(/Enter your password once more/);
  expect(code.typed.code.value).toBe('');
  expect(password.typed.password.value).toBe('');
  expect(password.typed.email.value).toBe(' Mira@Example.com ');
  password.typed.password.value = 'secret';
  await password.submit();
  expect(told.value).toBeNull();
});

test('a second press while the first is under way sends nothing', async () => {
  const scene = createScene();
  const { password } = scene.login;
  password.typed.email.value = 'mira@example.com';
  password.typed.password.value = 'x';
  const first = password.submit();
  await password.submit();
  await first;
  expect(scene.named('login')).toHaveLength(1);
  expect(password.busy.value).toBe(false);
});

test('a passkey logs in by itself', async () => {
  const scene = createScene();
  const pressed = scene.login.passkey.submit();
  await settled();
  expect(scene.login.passkey.busy.value).toBe(true);
  scene.signings[0]?.resolve(signedCredential);
  await pressed;
  expect(scene.named('loginWithPasskey')).toEqual([
    {
      name: 'loginWithPasskey',
      with: { challengeId: 'passkey-challenge', credential: signedCredential },
    },
  ]);
  expect(scene.login.passkey.busy.value).toBe(false);
});

test('who cancels a passkey, shows a strange one, or is too late is told so', async () => {
  const scene = createScene({
    loginWithPasskey: [refusalOf('passkey-wrong'), refusalOf('session-expired')],
  });
  const { passkey } = scene.login;
  const cancelled = passkey.submit();
  await settled();
  scene.signings.at(-1)?.reject(scene.cancelled());
  await cancelled;
  expect(passkey.fault.value).toMatch(/No passkey was used/);
  for (const words of [/not known here/, /took too long/]) {
    const pressed = passkey.submit();
    await settled();
    scene.signings.at(-1)?.resolve(signedCredential);
    await pressed;
    expect(passkey.fault.value).toMatch(words);
  }
});

test('a browser that fills in passkeys offers them from the start, and says nothing when none is picked', async () => {
  const scene = createScene({}, { fillsIn: true });
  const { passkey } = scene.login;
  const offered = passkey.offer();
  await settled();
  expect(scene.signings.map(({ fillIn }) => fillIn)).toEqual([true]);
  // The button takes its place.
  const pressed = passkey.submit();
  await offered;
  await settled();
  expect(scene.signings.map(({ fillIn }) => fillIn)).toEqual([true, false]);
  expect(passkey.fault.value).toBeNull();
  scene.signings[1]?.resolve(signedCredential);
  await pressed;
  expect(scene.named('loginWithPasskey')).toHaveLength(1);
});

test('a page that was left asks for no passkey any more', async () => {
  const scene = createScene({}, { fillsIn: true });
  const { passkey } = scene.login;
  const offered = passkey.offer();
  await settled();
  scene.login.close();
  await offered;
  expect(passkey.fault.value).toBeNull();
  await passkey.offer();
  expect(scene.named('askForPasskey')).toHaveLength(1);
});

test('whoever logs in to a closed account is told until when they can have it back, and has it by one press', async () => {
  const eraseAt = '2026-04-01T00:00:00Z';
  const scene = createScene({ login: [refusalOf('account-closing', { eraseAt }), needed()] });
  const { login } = scene;
  await untilCode(scene);
  expect(login.eraseAt.value).toBe(eraseAt);
  await login.keepAccount();
  expect(scene.named('login').map((call) => call.with)).toEqual([
    ['mira@example.com', ' secret '],
    ['mira@example.com', ' secret ', true],
  ]);
  // With a second factor the code says it once more.
  login.code.typed.code.value = '123456';
  await login.code.submit();
  expect(scene.named('loginWithCode')[0]?.with).toMatchObject({ keepAccount: true });
});
