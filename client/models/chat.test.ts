import { expect, test } from 'vitest';
import { settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createChat } from './chat.ts';
import type { SpokenEvent } from './feed.ts';
import { createFeed, pendingLinesMax } from './feed.ts';

type Said = Extract<SpokenEvent, { type: 'chat.message' }>;

function createScene(answer: (body: string, key: string) => Promise<Said>) {
  const feed = createFeed();
  const toasts: string[] = [];
  let keys = 0;
  const chat = createChat({
    streamId: 's1',
    api: { streams: { say: (_id, { body }, key) => answer(body, key) } },
    feed,
    newKey: () => `key-${++keys}`,
    toast: (text) => toasts.push(text),
  });
  const say = (text: string): void => {
    chat.draft.value = text;
    chat.submit();
  };
  return { feed, chat, say, toasts };
}

const stored = (body: string, id = 9): Said => ({
  id,
  streamId: 's1',
  at: '2026-01-01T00:00:00Z',
  type: 'chat.message',
  data: { messageId: 'm', userId: 'u', username: 'ann', role: 'viewer', body },
});

test('a line shows at once and is the same line when the room tells it', async () => {
  const { feed, say, chat } = createScene(async (body) => stored(body));
  say('  hello ');
  expect(feed.pending.value).toMatchObject([{ body: 'hello', state: 'sending' }]);
  expect(chat.draft.value).toBe('');
  await settled();
  feed.accept([stored('hello')], 'live');
  expect(feed.pending.value).toEqual([]);
  expect(feed.lines.value).toHaveLength(1);
});

test('a line that failed stays and is sent again under its own key', async () => {
  const keys: string[] = [];
  let lost = true;
  const { feed, say, chat } = createScene(async (body, key) => {
    keys.push(key);
    if (lost) throw new ApiError('network', 0, null, 'lost');
    return stored(body);
  });
  say('hello');
  await settled();
  expect(feed.pending.value).toMatchObject([{ state: 'failed' }]);
  lost = false;
  chat.retry('key-1');
  await settled();
  expect(keys).toEqual(['key-1', 'key-1']);
  expect(feed.pending.value).toEqual([]);
});

test('a line that is refused for good goes back to where it was typed', async () => {
  const { feed, chat, say, toasts } = createScene(() =>
    Promise.reject(new ApiError('stream-ended', 409, null, 'The stream has ended')),
  );
  say('hello');
  await settled();
  expect(feed.pending.value).toEqual([]);
  expect(chat.draft.value).toBe('hello');
  expect(toasts).toHaveLength(1);
});

test('blank lines are not sent', () => {
  const { feed, say } = createScene(async (body) => stored(body));
  say('   ');
  expect(feed.pending.value).toEqual([]);
});

test('only so many lines wait at a time', () => {
  const { feed, say, toasts } = createScene(() => new Promise(() => {}));
  for (let line = 0; line <= pendingLinesMax; line += 1) say(`line ${line}`);
  expect(feed.pending.value).toHaveLength(pendingLinesMax);
  expect(toasts).toHaveLength(1);
});
