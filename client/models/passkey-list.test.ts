import { expect, test } from 'vitest';
import type { Passkey } from '#contract';
import { anySession } from '../testing/any-session.ts';
import { createFakePasskeys, newCredential } from '../testing/fake-passkeys.ts';
import { createCountedLoad } from '../testing/loaded.ts';
import { settled } from '../testing/manual-clock.ts';
import { refusalOf } from '../testing/refusal.ts';
import { createPasskeyList } from './passkey-list.ts';

const passkey = (id: string, name: string): Passkey => ({
  id,
  name,
  backedUp: false,
  createdAt: '2026-01-01T00:00:00.000Z',
  lastUsedAt: null,
});

function createScene(device = 'Firefox on Linux') {
  const told: unknown[] = [];
  const refusals: Error[] = [];
  let kept = [passkey('a', 'Old phone')];
  async function act(name: string, ...given: unknown[]): Promise<void> {
    told.push([name, ...given]);
    const refusal = refusals.shift();
    if (refusal) throw refusal;
  }
  const fake = createFakePasskeys();
  const { loaded, fetches } = createCountedLoad(() => ({
    totp: false,
    passkeys: kept.length,
    recoveryCodesLeft: 0,
  }));
  const model = createPasskeyList({
    passkeys: fake.passkeys,
    factors: loaded,
    accept: ({ accessToken }) => told.push(['session', accessToken]),
    deviceName: () => device,
    security: {
      passkeys: async () => ({ passkeys: kept }),
      async askForNewPasskey(password) {
        await act('ask', password);
        return { challengeId: 'c', options: creationOptions };
      },
      async addPasskey({ challengeId, name }) {
        await act('add', challengeId, name);
        const made = passkey('b', name);
        kept = [...kept, made];
        return { passkey: made, session: anySession('proven') };
      },
      async renamePasskey(id, name) {
        await act('rename', id, name);
        return passkey(id, name);
      },
      async removePasskey(id) {
        await act('remove', id);
        kept = kept.filter((one) => one.id !== id);
      },
    },
  });
  return { model, told, refusals, fetches, ...fake };
}

const creationOptions = {
  challenge: 'AAAA',
  rp: { name: 'LivePanty' },
  user: { id: 'u', name: 'ann', displayName: '' },
  pubKeyCredParams: [],
};

async function asked(scene: ReturnType<typeof createScene>) {
  const { model } = scene;
  model.open();
  model.adding.typed.password.value = 'secret';
  const made = model.adding.submit();
  await settled();
  return made;
}

test('a passkey is made after the password, named by the device, and proves this session', async () => {
  const scene = createScene();
  const { model, told, makings } = scene;
  await model.list.load();
  model.open();
  expect(model.adding.typed.name.value).toBe('Firefox on Linux');
  model.adding.typed.password.value = 'secret';
  const made = model.adding.submit();
  await settled();
  makings[0]?.resolve(newCredential);
  expect(await made).toBe(true);
  expect(told).toEqual([
    ['ask', 'secret'],
    ['add', 'c', 'Firefox on Linux'],
    ['session', 'proven'],
  ]);
  expect(model.list.value.value?.map(({ name }) => name)).toEqual([
    'Old phone',
    'Firefox on Linux',
  ]);
  expect(model.isAdding.value).toBe(false);
  expect(model.adding.typed.password.value).toBe('');
  expect(scene.fetches()).toBe(1);
});

test('a device that says nothing leaves a plain name', () => {
  const { model } = createScene('');
  model.open();
  expect(model.adding.typed.name.value).toBe('My passkey');
});

test('a wrong password, a cancelled browser and a late answer keep the form open, each with its words', async () => {
  const scene = createScene();
  const { model, refusals, makings, cancelled } = scene;
  refusals.push(refusalOf('password-wrong'));
  expect(await asked(scene)).toBe(false);
  expect(model.adding.faults.value.password).toMatch(/not your password/);

  const cancels = asked(scene);
  await settled();
  makings[0]?.reject(cancelled());
  expect(await cancels).toBe(false);
  expect(model.adding.fault.value).toMatch(/No passkey was used/);

  model.adding.typed.password.value = 'secret';
  const late = model.adding.submit();
  await settled();
  refusals.push(refusalOf('session-expired'));
  makings[1]?.resolve(newCredential);
  expect(await late).toBe(false);
  expect(model.adding.fault.value).toMatch(/took too long/);
  expect(model.isAdding.value).toBe(true);
});

test('a form that was closed while the password was looked at asks the browser for nothing', async () => {
  const { model, makings } = createScene();
  model.open();
  model.adding.typed.password.value = 'secret';
  const made = model.adding.submit();
  model.closeAdding();
  expect(await made).toBe(false);
  expect(makings).toHaveLength(0);
});

test('a new name shows at once, and a removed passkey is gone', async () => {
  const { model, told } = createScene();
  await model.list.load();
  model.rename({ id: 'a', name: 'Old phone' });
  expect(model.naming.typed.name.value).toBe('Old phone');
  model.naming.typed.name.value = ' New phone ';
  await model.naming.submit();
  expect(told).toEqual([['rename', 'a', 'New phone']]);
  expect(model.list.value.value?.map(({ name }) => name)).toEqual(['New phone']);
  expect(model.renaming.value).toBeNull();
  expect(await model.removal.submit('a')).toBe(true);
  expect(model.list.value.value).toEqual([]);
});

test('a removal that was declined removes nothing, and says why', async () => {
  const { model, refusals } = createScene();
  await model.list.load();
  refusals.push(refusalOf('step-up-needed'));
  expect(await model.removal.submit('a')).toBe(false);
  expect(model.removal.fault.value).toMatch(/needs a second factor/);
  expect(model.list.value.value).toHaveLength(1);
});
