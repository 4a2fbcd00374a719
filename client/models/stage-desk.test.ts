import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { GuestOnStage, StageGuest } from '#contract';
import type { GuestMedia } from '../media/receiver.ts';
import type { RoomSocket } from '../media/room-socket.ts';
import { anyUuid, joined } from '../testing/fake-room.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createStageDesk } from './stage-desk.ts';

const guest: StageGuest = {
  user: { id: anyUuid, username: 'asha' },
  state: 'joined',
  held: { sound: false, picture: false },
  invitedAt: '2026-01-01T00:00:00.000Z',
};

function createScene() {
  const acts: unknown[] = [];
  const guests = signal<readonly GuestOnStage[]>([]);
  const stageNews = signal(0);
  const media = signal<readonly GuestMedia[]>([]);
  let lists = 0;
  /** Resolves when a list that is asked for may come. */
  let listComes = Promise.resolve();
  let receivers = 0;
  let fails: ApiError | null = null;
  let cannotReceive = false;
  const act = async (...what: unknown[]) => {
    if (fails) throw fails;
    acts.push(what);
  };
  const socket = { joined, isOpen: true } as RoomSocket;
  const desk = createStageDesk({
    viewing: { place: () => {} },
    room: {
      streamId: 'stream',
      guests,
      stageNews,
      link: { socket: signal(socket), rejoin: () => acts.push('rejoin') },
    },
    api: {
      async list() {
        lists += 1;
        await listComes;
        return { guests: [guest] };
      },
      async invite(id, username) {
        await act('invite', id, username);
        return guest;
      },
      answer: () => Promise.reject(new Error('a performer is not invited')),
      putOff: (id, userId) => act('putOff', id, userId),
      hold: (id, userId, held) => act('hold', id, userId, held),
    },
    async openReceiver() {
      receivers += 1;
      if (cannotReceive) throw Object.assign(new Error('full'), { code: 'no-room' });
      return {
        stream: {} as MediaStream,
        flowing: signal(true),
        pictured: signal(false),
        path: signal('connected' as const),
        latencyMs: signal(null),
        sizes: signal([]),
        guests: media,
        close: () => {},
      };
    },
    clock: createManualClock(),
  });
  return {
    desk,
    acts,
    guests,
    stageNews,
    media,
    lists: () => lists,
    /** Lists come from now on when the answer is called. */
    holdLists() {
      const { promise, resolve } = Promise.withResolvers<void>();
      listComes = promise;
      return resolve;
    },
    receivers: () => receivers,
    refuseReceivers: () => {
      cannotReceive = true;
    },
    fail: (error: ApiError | null) => {
      fails = error;
    },
  };
}

test('invites by name, as people write it, and keeps what was refused', async () => {
  const { desk, acts, fail } = createScene();
  desk.username.value = '  @asha ';
  await desk.invite();
  expect(acts).toEqual([['invite', 'stream', 'asha']]);
  expect(desk.username.value).toBe('');
  fail(new ApiError('not-found', 404, null, 'nobody'));
  desk.username.value = 'nobody';
  await desk.invite();
  expect(desk.username.value).toBe('nobody');
  expect(desk.fault.value).toBe('Nobody has this name.');
  desk.username.value = ' ';
  await desk.invite();
  expect(acts).toHaveLength(1);
});

test('mutes one guest and takes them off, and looks again after every act and at every piece of news', async () => {
  const { desk, acts, stageNews, lists } = createScene();
  await settled();
  const before = lists();
  await desk.hold(guest, { sound: true, picture: false });
  await desk.putOff(guest);
  expect(acts).toEqual([
    ['hold', 'stream', anyUuid, { sound: true, picture: false }],
    ['putOff', 'stream', anyUuid],
  ]);
  expect(lists()).toBe(before + 2);
  stageNews.value += 1;
  await settled();
  expect(lists()).toBe(before + 3);
});

test('receives nothing until there is a guest, and then once', async () => {
  const { desk, guests, media, receivers } = createScene();
  await settled();
  expect(receivers()).toBe(0);
  guests.value = [{ id: anyUuid, name: 'asha', sources: ['camera'], held: [] }];
  await settled();
  const seen: GuestMedia = {
    id: anyUuid,
    name: 'asha',
    stream: {} as MediaStream,
    hasPicture: true,
  };
  media.value = [seen];
  expect(desk.media.value).toEqual([seen]);
  guests.value = [...guests.value, { id: 'other', name: 'ben', sources: ['camera'], held: [] }];
  await settled();
  expect(receivers()).toBe(1);
  desk.close();
});

test('a node without room for the guests never costs the performer the socket on which they publish', async () => {
  const { guests, acts, receivers, refuseReceivers } = createScene();
  refuseReceivers();
  for (const id of ['one', 'two', 'three']) {
    guests.value = [...guests.value, { id, name: id, sources: ['camera'], held: [] }];
    await settled();
  }
  expect([receivers(), acts]).toEqual([1, []]);
});

test('takes no further act before the list shows what came of the one before', async () => {
  const { desk, acts, holdLists } = createScene();
  await settled();
  const releaseLists = holdLists();
  const held = { sound: false, picture: true };
  const holding = desk.hold(guest, held);
  await settled();
  expect(acts).toHaveLength(1);
  expect(desk.busy.value).toBe(true);
  expect(await desk.hold(guest, held)).toBe(false);
  releaseLists();
  expect(await holding).toBe(true);
  expect(desk.busy.value).toBe(false);
});
