import { expect, test } from 'vitest';
import { refusalOf } from '../testing/refusal.ts';
import { createDevices, methodWords, type SeenDevice } from './devices.ts';

const device = (id: string, current: boolean): SeenDevice => ({
  id,
  device: 'Firefox on Linux',
  methods: ['password'],
  createdAt: '2026-01-01T00:00:00.000Z',
  lastSeenAt: '2026-01-01T00:00:00.000Z',
  current,
});

function createScene(refusal: Error | null = null) {
  const told: string[] = [];
  async function act(name: string): Promise<void> {
    told.push(name);
    if (refusal) throw refusal;
  }
  const model = createDevices({
    security: {
      devices: async () => ({
        devices: [device('mine', true), device('phone', false), device('tablet', false)],
      }),
      endDevice: (id) => act(`end ${id}`),
      endOtherDevices: () => act('end others'),
    },
  });
  return { model, told };
}

const idsOf = ({ model }: ReturnType<typeof createScene>) =>
  model.list.value.value?.map(({ id }) => id);

test('a device that was logged out is gone from the list, and the others stay', async () => {
  const scene = createScene();
  await scene.model.list.load();
  expect(scene.model.current.value?.id).toBe('mine');
  await scene.model.end.submit('phone');
  expect(scene.told).toEqual(['end phone']);
  expect(idsOf(scene)).toEqual(['mine', 'tablet']);
  expect(scene.model.ending.value).toBeNull();
});

test('logging out all others leaves this device', async () => {
  const scene = createScene();
  await scene.model.list.load();
  expect(scene.model.hasOthers.value).toBe(true);
  await scene.model.endOthers.submit();
  expect(idsOf(scene)).toEqual(['mine']);
  expect(scene.model.hasOthers.value).toBe(false);
});

test('a device that could not be logged out stays in the list', async () => {
  const scene = createScene(refusalOf('unavailable'));
  await scene.model.list.load();
  await scene.model.end.submit('phone');
  expect(idsOf(scene)).toHaveLength(3);
  expect(scene.model.end.fault.value).toMatch(/Try again/);
});

test('the ways of a log-in are told in words', () => {
  expect(methodWords(['password', 'totp'])).toBe('password and code of the app');
  expect(methodWords(['passkey'])).toBe('passkey');
});
