import { expect, test } from 'vitest';
import { createManualClock } from '../testing/manual-clock.ts';
import { createPoll } from './poll.ts';

function createScene(answer: () => Promise<unknown> = async () => {}) {
  const clock = createManualClock();
  let looks = 0;
  let isLookedAt = true;
  const poll = createPoll({
    clock,
    isLookedAt: () => isLookedAt,
    look: () => {
      looks += 1;
      return answer();
    },
    pace: () => ({ firstMs: 1_000, maxMs: 4_000 }),
    failing: { firstMs: 10_000, maxMs: 40_000 },
    random: () => 1,
  });
  return {
    clock,
    poll,
    looks: () => looks,
    lookAt: (page: boolean) => {
      isLookedAt = page;
    },
  };
}

test('the pace slows down as answers add up, to its longest wait', async () => {
  const { clock, poll, looks } = createScene();
  await clock.advance(1_000);
  expect(looks()).toBe(1);
  await clock.advance(2_000);
  expect(looks()).toBe(2);
  await clock.advance(8_000);
  expect(looks()).toBe(4);
  poll.stop();
});

test('what gets no answer is asked more and more rarely, until it is answered', async () => {
  let works = false;
  const { clock, poll, looks } = createScene(async () => {
    if (!works) throw new Error('down');
  });
  await clock.advance(1_000 + 10_000 + 20_000);
  expect(looks()).toBe(3);
  await clock.advance(39_999);
  expect(looks()).toBe(3);
  works = true;
  await clock.advance(1 + 2_000);
  expect(looks()).toBe(5);
  poll.stop();
});

test('nothing is asked while nobody looks, and it goes on at once when somebody does', async () => {
  const { clock, poll, looks, lookAt } = createScene();
  lookAt(false);
  await clock.advance(60_000);
  expect(looks()).toBe(0);
  expect(clock.waiting).toBe(0);
  await poll.wake();
  expect(looks()).toBe(0);
  lookAt(true);
  await poll.wake();
  expect(looks()).toBe(1);
  await clock.advance(2_000);
  expect(looks()).toBe(2);
  poll.stop();
});

test('a stopped poll asks nothing more, not even after the answer that was on its way', async () => {
  const answer = Promise.withResolvers<void>();
  const { clock, poll, looks } = createScene(() => answer.promise);
  const looking = poll.lookNow();
  poll.stop();
  answer.resolve();
  await looking;
  await poll.wake();
  await clock.advance(60_000);
  expect(looks()).toBe(1);
  expect(clock.waiting).toBe(0);
});

test('who asks while a question is out shares its answer', async () => {
  const answer = Promise.withResolvers<void>();
  const { poll, looks } = createScene(() => answer.promise);
  const both = [poll.lookNow(), poll.wake()];
  answer.resolve();
  await Promise.all(both);
  expect(looks()).toBe(1);
  poll.stop();
});
