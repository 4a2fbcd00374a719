import { expect, test } from 'vitest';
import { anySession } from '../testing/any-session.ts';
import { createFakePasskeys, signedCredential } from '../testing/fake-passkeys.ts';
import { settled } from '../testing/manual-clock.ts';
import { refusalOf } from '../testing/refusal.ts';
import { createProof } from './proof.ts';

const proven = anySession('proven');

function createScene(refusal: Error | null = null) {
  const told: string[] = [];
  const sent: unknown[] = [];
  const { passkeys, signings, cancelled } = createFakePasskeys();
  const answer = async (body: unknown) => {
    sent.push(body);
    if (refusal) throw refusal;
    return proven;
  };
  const proof = createProof({
    passkeys,
    security: {
      factors: async () => ({ totp: true, passkeys: 1, recoveryCodesLeft: 9 }),
      prove: answer,
      askForProof: async () => ({ challengeId: 'c', options: { challenge: 'AAAA' } }),
      provePasskey: answer,
    },
    accept: ({ accessToken }) => told.push(accessToken),
    onShown: () => told.push('shown'),
  });
  return { proof, told, sent, signings, cancelled };
}

test('the session of a right code is taken up before those who wait go on', async () => {
  const { proof, told, sent } = createScene();
  await settled();
  expect(proof.factors.value.value).toMatchObject({ totp: true, passkeys: 1 });
  proof.code.typed.code.value = '123456';
  await proof.code.submit();
  expect(sent).toEqual([{ code: '123456' }]);
  expect(told).toEqual(['proven', 'shown']);
});

test('a wrong code shows nothing and stays where it is', async () => {
  const { proof, told } = createScene(refusalOf('second-factor-wrong'));
  proof.code.typed.code.value = '123456';
  await proof.code.submit();
  expect(proof.code.faults.value.code).toMatch(/wrong, or was used/);
  expect(told).toEqual([]);
});

test('a passkey proves as well, and one that is cancelled leaves the question open', async () => {
  const { proof, told, sent, signings, cancelled } = createScene();
  const first = proof.passkey.submit();
  await settled();
  signings[0]?.reject(cancelled());
  expect(await first).toBe(false);
  expect(told).toEqual([]);
  expect(proof.passkey.fault.value).toMatch(/No passkey was used/);

  const second = proof.passkey.submit();
  await settled();
  signings[1]?.resolve(signedCredential);
  expect(await second).toBe(true);
  expect(sent).toEqual([{ challengeId: 'c', credential: signedCredential }]);
  expect(told).toEqual(['proven', 'shown']);
});
