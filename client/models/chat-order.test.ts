import { expect, test } from 'vitest';
import { ApiError } from './api-error.ts';
import { type ChatLine, type ChatOrderDeps, createChatOrder } from './chat-order.ts';

const [me, host, other] = ['me', 'host', 'other'];

const lineOf = (userId: string): ChatLine => ({
  id: 1,
  streamId: 's',
  at: '2026-01-01T00:00:00.000Z',
  type: 'chat.message',
  data: { messageId: 'm', userId, username: userId, role: 'viewer', body: 'hello' },
});

function createScene(self: ChatOrderDeps['self'] = { id: me, role: 'viewer' }) {
  const calls: unknown[][] = [];
  const toasts: string[] = [];
  let refusal: ApiError | null = null;
  const note = async (...call: unknown[]): Promise<void> => {
    calls.push(call);
    if (refusal) throw refusal;
  };
  const person = (id: string) => ({
    id,
    username: id,
    displayName: id,
    avatarUrl: null,
    since: '',
  });
  const order = createChatOrder({
    streamId: 's',
    self,
    api: {
      async relations(kind, cursor) {
        if (kind === 'block') return { people: [person('blocked')], nextCursor: null };
        return cursor
          ? { people: [person('muted-2')], nextCursor: null }
          : { people: [person('muted-1')], nextCursor: 'next' };
      },
      moderators: async () => ({ moderators: [{ id: 'keeper', username: 'keeper' }] }),
      relate: (...call) => note('relate', ...call),
      setModerator: (...call) => note('moderator', ...call),
      ban: (...call) => note('ban', ...call),
      liftBan: (...call) => note('lift', ...call),
      deleteLine: (...call) => note('delete', ...call),
    },
    toasts: { show: (text) => void toasts.push(text) },
  });
  return {
    order,
    calls,
    toasts,
    refuse(error: ApiError) {
      refusal = error;
    },
  };
}

test('all whom somebody has muted or blocked are not heard, however many pages they fill', async () => {
  const { order } = createScene();
  await order.load();
  expect([...order.unheard.value].toSorted()).toEqual(['blocked', 'muted-1', 'muted-2']);
});

test('a guest asks for no lists', async () => {
  const { order } = createScene(null);
  await order.load();
  expect(order.unheard.value.size).toBe(0);
  expect(order.keepsOrder(host)).toBe(false);
});

test('order is kept by the performer, the moderators of the stream, and staff', async () => {
  const keeps = async (self: ChatOrderDeps['self']) => {
    const { order } = createScene(self);
    await order.load();
    return order.keepsOrder(host);
  };
  expect(await keeps({ id: me, role: 'viewer' })).toBe(false);
  expect(await keeps({ id: host, role: 'performer' })).toBe(true);
  expect(await keeps({ id: 'keeper', role: 'viewer' })).toBe(true);
  expect(await keeps({ id: me, role: 'moderator' })).toBe(true);
  expect(await keeps({ id: me, role: 'finance' })).toBe(false);
});

test('what is done is done about the line that is picked, and puts it back', async () => {
  const { order, calls } = createScene();
  const act = async (work: () => Promise<void>) => {
    order.picked.value = lineOf(other);
    await work();
    expect(order.picked.value).toBeNull();
    return calls.at(-1);
  };
  expect(await act(order.deleteLine)).toEqual(['delete', 's', 'm']);
  expect(await act(order.silence)).toEqual(['ban', 's', other, { kind: 'silenced', minutes: 10 }]);
  expect(await act(order.ban)).toEqual(['ban', 's', other, { kind: 'banned', minutes: null }]);
  expect(await act(order.lift)).toEqual(['lift', 's', other]);
  expect(await act(() => order.setModerator(true))).toEqual(['moderator', 's', other, true]);
  expect(order.moderators.value.has(other)).toBe(true);
  expect(await act(order.mute)).toEqual(['relate', 'mute', other, true]);
  expect(order.unheard.value.has(other)).toBe(true);
  await order.deleteLine();
  expect(calls).toHaveLength(6);
});

test('a refusal is said, hides nobody, and leaves the line picked', async () => {
  const { order, toasts, refuse } = createScene();
  refuse(new ApiError('network', 0, null, 'lost'));
  order.picked.value = lineOf(other);
  await order.block();
  expect(order.unheard.value.has(other)).toBe(false);
  expect(order.picked.value?.data.userId).toBe(other);
  expect(toasts).toEqual(['No connection. Check your network and try again.']);
});
