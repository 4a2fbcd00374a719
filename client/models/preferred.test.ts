import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import { Preferences } from '#contract';
import { createPreferred } from './preferred.ts';
import { storageOf } from './storage.ts';

const told = { ...Preferences.parse({}), version: 1 };
const newStorage = () =>
  storageOf({
    get localStorage(): Storage {
      throw new Error('switched off');
    },
  });

function createScene(storage = newStorage()) {
  const user = signal<{ id: string } | null>(null);
  const dataset: DOMStringMap = {};
  const root = { dataset } as HTMLElement;
  return { user, dataset, storage, preferred: createPreferred({ storage, root, user }) };
}

test('what the edge has told is remembered for its person, and for nobody else on this device', async () => {
  const { user, dataset, preferred, storage } = createScene();
  user.value = { id: 'meera' };
  await preferred.refresh({
    preferences: async () => ({ ...told, tipAnonymously: true, reducedEffects: true }),
  });
  expect(preferred.known.value).toEqual({ tipAnonymously: true, reducedEffects: true });
  expect(dataset.effects).toBe('reduced');
  user.value = { id: 'asha' };
  expect(preferred.known.value).toEqual({ tipAnonymously: false, reducedEffects: false });
  expect(dataset.effects).toBeUndefined();
  const later = createScene(storage);
  later.user.value = { id: 'meera' };
  expect(later.preferred.known.value.tipAnonymously).toBe(true);
});

test('an answer that comes after its person has left is not taken', async () => {
  const { user, preferred } = createScene();
  user.value = { id: 'meera' };
  let answer: (preferences: typeof told) => void = () => {};
  const asked = preferred.refresh({
    preferences: () => new Promise((resolve) => (answer = resolve)),
  });
  user.value = { id: 'asha' };
  answer({ ...told, tipAnonymously: true });
  await asked;
  expect(preferred.known.value.tipAnonymously).toBe(false);
});

test('without an answer, or with what makes no sense, the usual holds', async () => {
  const { user, preferred, storage } = createScene();
  storage.setItem('livepanty.preferences', '{broken');
  user.value = { id: 'meera' };
  await preferred.refresh({ preferences: () => Promise.reject(new Error('lost')) });
  expect(preferred.known.value).toEqual({ tipAnonymously: false, reducedEffects: false });
});
