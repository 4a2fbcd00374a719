import { expect, test } from 'vitest';
import { anySession } from '../testing/any-session.ts';
import { createCountedLoad } from '../testing/loaded.ts';
import { refusalOf } from '../testing/refusal.ts';
import { createAuthenticator, inGroups, recoveryText } from './authenticator.ts';

const codes = ['abcdefgh23456789', 'bcdefghj23456789'];

function createScene() {
  const told: string[] = [];
  const saved: { content: Blob; name: string }[] = [];
  const refusals: Error[] = [];
  let isOn = false;
  async function act<T>(name: string, answer: T): Promise<T> {
    told.push(name);
    const refusal = refusals.shift();
    if (refusal) throw refusal;
    return answer;
  }
  const { loaded, fetches } = createCountedLoad(() => ({
    totp: isOn,
    passkeys: 0,
    recoveryCodesLeft: isOn ? codes.length : 0,
  }));
  const model = createAuthenticator({
    factors: loaded,
    accept: ({ accessToken }) => told.push(`session ${accessToken}`),
    saveFile: (content, name) => saved.push({ content, name }),
    security: {
      beginApp: (password) => act(`begin ${password}`, { secret: 'JBSW', uri: 'otpauth://x' }),
      async confirmApp({ code }) {
        const answer = await act(`confirm ${code}`, {
          recoveryCodes: codes,
          session: anySession('proven'),
        });
        isOn = true;
        return answer;
      },
      async removeApp() {
        await act('remove', null);
        isOn = false;
      },
      renewRecoveryCodes: () => act('renew', { recoveryCodes: codes.toReversed() }),
    },
  });
  return { model, told, saved, refusals, factors: loaded, fetches };
}

async function turnedOn() {
  const scene = createScene();
  const { model } = scene;
  model.begin();
  model.password.typed.password.value = ' secret ';
  await model.password.submit();
  model.code.typed.code.value = '123 456';
  await model.code.submit();
  return scene;
}

test('a password opens the secret, its first code turns it on and proves this session, and the codes are shown', async () => {
  const { model, told, factors } = await turnedOn();
  expect(told).toEqual(['begin  secret ', 'confirm 123456', 'session proven']);
  expect(model.step.value).toEqual({ name: 'codes', codes });
  expect(factors.value.value?.totp).toBe(true);
});

test('a wrong password and a wrong code are said beside their fields, and the step stays', async () => {
  const { model, refusals } = createScene();
  model.begin();
  model.password.typed.password.value = 'secret';
  refusals.push(refusalOf('password-wrong'));
  await model.password.submit();
  expect(model.step.value.name).toBe('password');
  expect(model.password.faults.value.password).toMatch(/not your password/);
  await model.password.submit();
  expect(model.step.value).toEqual({ name: 'scan', secret: 'JBSW', uri: 'otpauth://x' });
  model.code.typed.code.value = '123456';
  refusals.push(refusalOf('second-factor-wrong'));
  await model.code.submit();
  expect(model.step.value.name).toBe('scan');
  expect(model.code.faults.value.code).toMatch(/wrong, or was used/);
});

test('who leaves while the password is looked at is not shown a secret', async () => {
  const { model } = createScene();
  model.begin();
  model.password.typed.password.value = 'secret';
  const sent = model.password.submit();
  model.close();
  await sent;
  expect(model.step.value).toEqual({ name: 'closed' });
});

test('recovery codes are left only when they are kept, and can be kept as a file', async () => {
  const { model, saved } = await turnedOn();
  model.finish();
  expect(model.step.value.name).toBe('codes');
  model.saveCodes();
  expect(saved.map(({ name }) => name)).toEqual(['livepanty-recovery-codes.txt']);
  const text = await saved[0]?.content.text();
  expect(text).toBe(recoveryText(codes));
  for (const code of codes) expect(text).toContain(inGroups(code));
  model.areKept.value = true;
  model.finish();
  expect(model.step.value).toEqual({ name: 'closed' });
  // Nothing secret is left standing.
  expect(model.password.typed.password.value).toBe('');
  expect(model.code.typed.code.value).toBe('');
});

test('new codes are shown as the first were, and have to be kept again', async () => {
  const { model } = await turnedOn();
  model.areKept.value = true;
  model.finish();
  expect(await model.renewal.submit()).toBe(true);
  expect(model.step.value).toEqual({ name: 'codes', codes: codes.toReversed() });
  expect(model.areKept.value).toBe(false);
});

test('an app whose removal was declined is still on, and says why', async () => {
  const { model, refusals, factors } = await turnedOn();
  refusals.push(refusalOf('step-up-needed'));
  expect(await model.removal.submit()).toBe(false);
  expect(model.removal.fault.value).toMatch(/needs a second factor/);
  expect(factors.value.value?.totp).toBe(true);
  expect(await model.removal.submit()).toBe(true);
  expect(factors.value.value?.totp).toBe(false);
  expect(model.removal.fault.value).toBeNull();
});

test('codes are written in groups of four', () => {
  expect(inGroups('abcdefgh23456789')).toBe('abcd-efgh-2345-6789');
  expect(inGroups('abcdef')).toBe('abcd-ef');
});
