import { expect, test } from 'vitest';
import type { RoomEvent } from '#contract';
import { createFeed, feedLinesMax, resumeOverlapIds, seenIdsMax } from './feed.ts';

const said = (id: number): RoomEvent => ({
  id,
  streamId: 's',
  at: '2026-01-01T00:00:00Z',
  type: 'chat.message',
  data: { messageId: 'm', userId: 'u', username: 'ann', role: 'viewer', body: `line ${id}` },
});

test('an event that comes twice is shown once and told once', () => {
  const feed = createFeed();
  const told: number[] = [];
  feed.onEvent((event) => told.push(event.id));
  feed.accept([said(5)], 'live');
  feed.accept([said(5), said(6)], 'history');
  expect(feed.lines.value.map((line) => line.id)).toEqual([5, 6]);
  expect(told).toEqual([5, 6]);
});

test('lines stand in the order of their ids, whatever the order in which they came', () => {
  const feed = createFeed();
  feed.accept([said(9)], 'live');
  feed.accept([said(7), said(8)], 'history');
  expect(feed.lines.value.map((line) => line.id)).toEqual([7, 8, 9]);
});

test('the page keeps a limited number of lines, and a limited memory of ids', () => {
  const feed = createFeed();
  for (let id = 1; id <= seenIdsMax + 10; id += 1) feed.accept([said(id)], 'live');
  expect(feed.lines.value).toHaveLength(feedLinesMax);
  expect(feed.lines.value[0]?.id).toBe(seenIdsMax + 10 - feedLinesMax + 1);
});

test('a resume asks again for a few ids before the newest, since small ids may be told late', () => {
  const feed = createFeed();
  expect(feed.resumeAfter()).toBeUndefined();
  feed.accept([said(500)], 'live');
  expect(feed.resumeAfter()).toBe(500 - resumeOverlapIds);
});

test('a line that was taken away is gone, whichever of the two is heard first', () => {
  const feed = createFeed();
  const line = (id: number, messageId: string): RoomEvent => {
    const event = said(id);
    return event.type === 'chat.message' ? { ...event, data: { ...event.data, messageId } } : event;
  };
  const away = (id: number, messageId: string): RoomEvent => ({
    id,
    streamId: 's',
    at: '2026-01-01T00:00:00Z',
    type: 'chat.deleted',
    data: { messageId },
  });
  feed.accept([line(1, 'kept'), line(2, 'rude')], 'live');
  feed.accept([away(3, 'rude')], 'live');
  feed.accept([away(5, 'late')], 'live');
  feed.accept([line(4, 'late')], 'history');
  expect(feed.lines.value.map(({ id }) => id)).toEqual([1]);
});
