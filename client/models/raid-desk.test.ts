import { expect, test } from 'vitest';
import { anyStream } from '../testing/any-stream.ts';
import { createManualClock } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createRaidDesk } from './raid-desk.ts';
import { typingPauseMs } from './search.ts';

const own = anyStream({ id: 'own' });
const other = anyStream({ id: 'other', performer: { id: 'tara', username: 'tara' } });
const found = anyStream({ id: 'found', performer: { id: 'noor', username: 'noor' } });

function createScene(refusal: Error | null = null) {
  const clock = createManualClock();
  const raids: string[] = [];
  const desk = createRaidDesk({
    clock,
    api: {
      search: { find: async () => ({ live: [own, found], upcoming: [], performers: [] }) },
      streams: {
        listLive: async () => ({ streams: [own, other], nextCursor: null }),
        async raid(from, to) {
          raids.push(`${from} to ${to}`);
          if (refusal) throw refusal;
          return { fromStreamId: from, toStreamId: to, viewers: 3 };
        },
      },
    },
  });
  return { clock, raids, desk };
}

test('others who are live are offered, or those that are looked for, and never oneself', async () => {
  const { clock, desk } = createScene();
  desk.open(own);
  await clock.advance(0);
  expect(desk.streams.value).toEqual([other]);
  desk.search.type('noor');
  await clock.advance(typingPauseMs);
  expect(desk.streams.value).toEqual([found]);
});

test('the audience is led to the chosen one, and nowhere before one is chosen', async () => {
  const { raids, desk } = createScene();
  desk.open(own);
  await desk.send();
  expect(raids).toEqual([]);
  desk.chosen.value = other;
  await Promise.all([desk.send(), desk.send()]);
  expect(raids).toEqual(['own to other']);
  expect(desk.led.value).toBe(other);
  expect(desk.isOpen.value).toBe(false);
});

test('a refusal is told, and another one can be chosen', async () => {
  const { desk } = createScene(new ApiError('raid-refused', 409, null, 'A title.'));
  desk.open(own);
  desk.chosen.value = other;
  await desk.send();
  expect(desk.fault.value).toContain('Choose another one');
  expect(desk.isOpen.value).toBe(true);
  expect(desk.led.value).toBeNull();
});
