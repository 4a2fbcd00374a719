import { expect, test } from 'vitest';
import type { RaidLeftEvent } from '#contract';
import { createManualClock } from '../testing/manual-clock.ts';
import { createFeed } from './feed.ts';
import { createRaidNotice, raidCountdownMs, raidSpreadMs } from './raid-notice.ts';

const goal = {
  toStreamId: '01900000-0000-7000-8000-000000000009',
  title: 'Night set',
  performer: { id: '01900000-0000-7000-8000-000000000008', username: 'meera' },
};
const event: RaidLeftEvent = {
  id: 7,
  streamId: '01900000-0000-7000-8000-000000000001',
  at: '2026-01-01T00:00:00.000Z',
  type: 'raid.left',
  data: goal,
};

function createScene(self: { id: string } | null = null, random = 0) {
  const clock = createManualClock();
  const feed = createFeed();
  const went: string[] = [];
  const notice = createRaidNotice({
    feed,
    self,
    clock,
    go: (streamId) => went.push(streamId),
    random: () => random,
  });
  return { clock, feed, went, notice };
}

test('a viewer goes along when the countdown is over, once', async () => {
  const { clock, feed, went, notice } = createScene();
  feed.accept([event], 'live');
  feed.accept([event], 'live');
  expect(notice.secondsLeft.value).toBe(raidCountdownMs / 1_000);
  await clock.advance(raidCountdownMs - 1_000);
  expect(notice.secondsLeft.value).toBe(1);
  expect(went).toEqual([]);
  await clock.advance(1_000);
  expect(went).toEqual([goal.toStreamId]);
  expect(notice.secondsLeft.value).toBeNull();
  await clock.advance(60_000);
  expect(went).toHaveLength(1);
});

test('viewers leave one after another, none later than they are told', async () => {
  const { clock, feed, went, notice } = createScene(null, 1);
  feed.accept([event], 'live');
  expect(notice.secondsLeft.value).toBe((raidCountdownMs + raidSpreadMs) / 1_000);
  await clock.advance(raidCountdownMs + raidSpreadMs - 1);
  expect(went).toEqual([]);
  await clock.advance(1);
  expect(went).toHaveLength(1);
});

test('who stays is not moved, and may still go later', async () => {
  const { clock, feed, went, notice } = createScene();
  feed.accept([event], 'live');
  notice.stay();
  await clock.advance(60_000);
  expect(went).toEqual([]);
  expect(notice.goal.value).toEqual(goal);
  notice.leave();
  expect(went).toEqual([goal.toStreamId]);
});

test('what is past moves nobody, nor the one who is raided, nor whoever has left the page', async () => {
  const past = createScene();
  past.feed.accept([event], 'history');
  expect(past.notice.goal.value).toEqual(goal);
  const raided = createScene({ id: goal.performer.id });
  raided.feed.accept([event], 'live');
  const gone = createScene();
  gone.feed.accept([event], 'live');
  gone.notice.close();
  for (const { clock, went } of [past, raided, gone]) {
    await clock.advance(60_000);
    expect(went).toEqual([]);
  }
});
