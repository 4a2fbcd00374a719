import { expect, test } from 'vitest';
import { ingestProtocols, type NewStreamKey, type StreamKey } from '#contract';
import { createManualClock } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createStreamKeys } from './stream-keys.ts';

const keyOf = (id: string, name = id): StreamKey => ({
  id,
  name,
  hint: 'abcd',
  protocols: ['whip', 'rtmp'],
  createdAt: '2026-01-01T00:00:00.000Z',
  lastUsedAt: null,
});

function createScene(answers: (NewStreamKey | Error)[] = []) {
  const sent: { name: string; key: string }[] = [];
  const told: string[] = [];
  const acts: string[] = [];
  const copied: string[] = [];
  const clock = createManualClock();
  let keys = 0;
  const streamKeys = createStreamKeys({
    clock,
    newKey: () => {
      keys += 1;
      return `key-${keys}`;
    },
    toasts: { show: (text) => told.push(text) },
    async copy(text) {
      copied.push(text);
    },
    api: {
      streamKeys: {
        list: async () => ({
          keys: [keyOf('one', 'OBS')],
          servers: { rtmp: null, srt: null },
        }),
        async create({ name }, key) {
          sent.push({ name, key });
          const answer = answers.shift();
          if (!answer || answer instanceof Error) throw answer ?? new Error('no answer');
          return answer;
        },
        async rotate(id) {
          acts.push(`rotate ${id}`);
          return { key: keyOf(id), secret: 'lpk_next' };
        },
        async remove(id) {
          acts.push(`remove ${id}`);
        },
      },
    },
  });
  return { streamKeys, sent, told, acts, copied, clock };
}

test('a secret is shown until it is put away, and nowhere else', async () => {
  const { streamKeys, copied } = createScene([{ key: keyOf('new'), secret: 'lpk_secret' }]);
  streamKeys.name.value = ' OBS ';
  await streamKeys.make();
  expect(streamKeys.shown.value).toEqual({ key: keyOf('new'), secret: 'lpk_secret' });
  expect(JSON.stringify(streamKeys.keys.value)).not.toContain('lpk_');
  await streamKeys.copySecret();
  expect(copied).toEqual(['lpk_secret']);
  streamKeys.putAway();
  expect(streamKeys.shown.value).toBeNull();
});

test('a request whose answer was lost goes again with its key, and it is said that the secret is gone', async () => {
  const lost = new ApiError('network', 0, null, 'no answer');
  const { streamKeys, sent, told, clock } = createScene([lost, { key: keyOf('x'), secret: null }]);
  streamKeys.name.value = 'OBS';
  const made = streamKeys.make();
  await clock.advance(10_000);
  await made;
  expect(sent).toEqual([
    { name: 'OBS', key: 'key-1' },
    { name: 'OBS', key: 'key-1' },
  ]);
  expect(streamKeys.shown.value).toBeNull();
  expect(told.join()).toContain('Rotate it');
});

test('nothing is sent without a name or a use', async () => {
  const { streamKeys, sent } = createScene();
  await streamKeys.make();
  expect(streamKeys.fault.value).toContain('name');
  streamKeys.name.value = 'OBS';
  for (const protocol of ingestProtocols) streamKeys.toggle(protocol);
  await streamKeys.make();
  expect(streamKeys.fault.value).toContain('for');
  expect(sent).toEqual([]);
});

test('a key is rotated or deleted when the person has said so once more', async () => {
  const { streamKeys, acts } = createScene();
  const key = keyOf('one', 'OBS');
  await streamKeys.carryOut();
  streamKeys.asked.value = { act: 'rotate', key };
  expect(acts).toEqual([]);
  await streamKeys.carryOut();
  expect(streamKeys.shown.value?.secret).toBe('lpk_next');
  streamKeys.asked.value = { act: 'remove', key };
  await streamKeys.carryOut();
  expect(acts).toEqual(['rotate one', 'remove one']);
  expect(streamKeys.asked.value).toBeNull();
});
