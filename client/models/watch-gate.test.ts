import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import { createManualClock } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import type { LinkRefusal } from './room-link.ts';
import { createWatchGate, gates } from './watch-gate.ts';

function createScene() {
  const refusal = signal<LinkRefusal | null>(null);
  const admitted: object[] = [];
  const bought: string[] = [];
  let opened = 0;
  let refuse: ApiError | null = null;
  const gate = createWatchGate({
    streamId: 'stream',
    api: {
      guests: {
        async admit(body) {
          if (refuse) throw refuse;
          admitted.push(body);
          return { id: 'g', country: body.country, expiresAt: '2026-01-01T00:00:00Z' };
        },
      },
      streams: {
        async enter(streamId, entryTokens, key) {
          bought.push(key);
          if (refuse) throw refuse;
          return { streamId, entryTokens };
        },
      },
    },
    refusal,
    country: 'IN',
    clock: createManualClock(),
    newKey: () => `key-${bought.length}`,
    onOpened: () => {
      opened += 1;
    },
  });
  return {
    gate,
    refusal,
    admitted,
    bought,
    opened: () => opened,
    refuseWith: (error: ApiError | null) => {
      refuse = error;
    },
  };
}

test('only what a person must be told of is a gate', () => {
  const { gate, refusal } = createScene();
  expect(gate.gate.value).toBeNull();
  for (const code of gates) {
    refusal.value = code;
    expect(gate.gate.value).toBe(code);
  }
  refusal.value = 'unavailable';
  expect(gate.gate.value).toBeNull();
});

test('who says how old they are is let in; a refusal stands beside the date', async () => {
  const { gate, admitted, opened, refuseWith } = createScene();
  expect(await gate.age.submit()).toBe(false);
  expect(gate.age.faults.value.dateOfBirth).toBeDefined();
  gate.age.typed.dateOfBirth.value = '2015-01-01';
  refuseWith(new ApiError('under-age', 403, null, 'Too young'));
  expect(await gate.age.submit()).toBe(false);
  expect(gate.age.faults.value.dateOfBirth).toBeDefined();
  expect(opened()).toBe(0);
  refuseWith(null);
  gate.age.typed.dateOfBirth.value = '1990-01-01';
  expect(await gate.age.submit()).toBe(true);
  expect(admitted).toEqual([{ country: 'IN', dateOfBirth: '1990-01-01' }]);
  expect(opened()).toBe(1);
});

test('an entry is bought once, also when its answer is lost', async () => {
  const { gate, bought, opened, refuseWith } = createScene();
  refuseWith(new ApiError('insufficient-balance', 409, null, 'Too poor'));
  await gate.buyEntry(20);
  expect(gate.fault.value).toContain('enough tokens');
  expect(opened()).toBe(0);
  refuseWith(null);
  await Promise.all([gate.buyEntry(20), gate.buyEntry(20)]);
  expect(bought).toEqual(['key-0', 'key-1']);
  expect(opened()).toBe(1);
  expect(gate.fault.value).toBeNull();
});
