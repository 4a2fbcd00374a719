import { type Signal, signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { StageGuest, StageGuestState, TicketGrant } from '#contract';
import type { PathState } from '../media/ice-guard.ts';
import type { Health } from '../media/publisher.ts';
import { RoomSocket } from '../media/room-socket.ts';
import { anyUuid, createFakeRoom } from '../testing/fake-room.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import type { PublisherHandle } from './sending.ts';
import { createStageSeat } from './stage-seat.ts';

const self = { id: anyUuid };

function createScene(first: StageGuestState | null = 'invited') {
  const clock = createManualClock();
  const server = createFakeRoom();
  const granted = signal<TicketGrant | null>(null);
  const stageNews = signal(0);
  const answers: boolean[] = [];
  const toasts: string[] = [];
  const publishers: (PublisherHandle & { closed: boolean })[] = [];
  const desks: { opened: number; closed: boolean }[] = [];
  let listed: StageGuestState | null = first;
  let grantFails: ApiError | null = null;
  let answerFails: ApiError | null = null;

  const grantOf = (stage: StageGuestState | null): TicketGrant => ({
    transport: 'webrtc',
    room: { url: 'ws://node/room', ticket: 'ticket', iceServers: [] },
    hls: null,
    stage,
  });
  const guestOf = (state: StageGuestState): StageGuest => ({
    user: { id: self.id, username: 'asha' },
    state,
    held: { sound: false, picture: false },
    invitedAt: '2026-01-01T00:00:00.000Z',
  });
  granted.value = grantOf(first);
  const seat = createStageSeat({
    room: { streamId: anyUuid, stageNews, link: { granted } },
    self,
    api: {
      list: async () => ({ guests: listed ? [guestOf(listed)] : [] }),
      async answer(_id, accept) {
        if (answerFails) throw answerFails;
        answers.push(accept);
      },
    },
    async grant() {
      if (grantFails) throw grantFails;
      return grantOf('joined');
    },
    join: (room) => RoomSocket.join(room, { openWebSocket: server.open, clock }),
    async openDesk() {
      const desk = {
        opened: 0,
        closed: false,
        videoOut: signal<MediaStreamTrack | null>({ id: 'camera' } as MediaStreamTrack),
        audioOut: signal(null),
        ladder: signal('480p30' as const),
        codec: signal('compatible' as const),
        async open() {
          desk.opened += 1;
        },
        close() {
          desk.closed = true;
        },
      };
      desks.push(desk);
      return desk;
    },
    async openPublisher() {
      const publisher = {
        path: signal<PathState>('connected'),
        health: signal<Health | null>(null),
        held: signal({ sound: false, picture: false }),
        closed: false,
        replaceVideo: async () => {},
        replaceAudio: async () => {},
        close() {
          publisher.closed = true;
        },
      };
      publishers.push(publisher);
      return publisher;
    },
    clock,
    toasts: { show: (text) => void toasts.push(text) },
  });
  return {
    clock,
    seat,
    server,
    answers,
    toasts,
    publishers,
    desks,
    async hear(now: StageGuestState | null) {
      listed = now;
      stageNews.value += 1;
      await settled();
    },
    grantTells: (now: StageGuestState | null) => {
      granted.value = grantOf(now);
    },
    failGrant: (error: ApiError) => {
      grantFails = error;
    },
    failAnswer: (error: ApiError) => {
      answerFails = error;
    },
    async onStage() {
      await seat.prepare();
      await seat.join();
      await settled();
    },
  };
}

test('an invitation leads to the stage by way of a look at oneself, which nobody else has', async () => {
  const { seat, answers, publishers, desks } = createScene();
  expect(seat.state.value).toBe('invited');
  await seat.prepare();
  expect([seat.state.value, desks[0]?.opened, answers, publishers.length]).toEqual([
    'ready',
    1,
    [],
    0,
  ]);
  await seat.join();
  await settled();
  expect([seat.state.value, answers, publishers.length]).toEqual(['on-stage', [true], 1]);
  seat.close();
  expect([publishers[0]?.closed, desks[0]?.closed]).toEqual([true, true]);
});

test('an invitation that comes while somebody watches is seen at once, and so is its end', async () => {
  const { seat, hear } = createScene(null);
  expect(seat.state.value).toBe('none');
  await hear('invited');
  expect(seat.state.value).toBe('invited');
  await hear(null);
  expect(seat.state.value).toBe('none');
});

test('who says no, or leaves, is off the stage with the camera off', async () => {
  const declined = createScene();
  await declined.seat.leave();
  expect([declined.seat.state.value, declined.answers]).toEqual(['none', [false]]);
  const left = createScene();
  await left.onStage();
  await left.seat.leave();
  expect([left.seat.state.value, left.answers]).toEqual(['none', [true, false]]);
  expect([left.publishers[0]?.closed, left.desks[0]?.closed]).toEqual([true, true]);
  // Whoever has left by themselves needs no telling.
  expect(left.toasts).toEqual([]);
});

test.each<[string, (scene: ReturnType<typeof createScene>) => unknown]>([
  ['news of the room', ({ hear }) => hear(null)],
  ['the next ticket to watch', ({ grantTells }) => grantTells(null)],
  [
    'a ticket that is refused',
    async ({ server, failGrant, clock }) => {
      failGrant(new ApiError('forbidden', 403, null, 'refused'));
      server.latest().close('revoked');
      await clock.advance(1_000);
    },
  ],
])(
  'who is taken off by the host learns it from %s, and sends nothing more',
  async (_from, tell) => {
    const scene = createScene();
    await scene.onStage();
    await tell(scene);
    await settled();
    expect(scene.seat.state.value).toBe('none');
    expect([scene.publishers[0]?.closed, scene.desks[0]?.closed]).toEqual([true, true]);
    expect(scene.toasts).toEqual(['You are off the stage now.']);
  },
);

test('an invitation that was taken back meanwhile ends with a word about it', async () => {
  const { seat, failAnswer, toasts, desks } = createScene();
  await seat.prepare();
  failAnswer(new ApiError('not-found', 404, null, 'gone'));
  await seat.join();
  expect([seat.state.value, desks[0]?.closed, toasts.length]).toEqual(['none', true, 1]);
});

test('who thinks better of it while they are going on stage is not put there', async () => {
  const { seat, publishers } = createScene();
  await seat.prepare();
  const joining = seat.join();
  seat.stepBack();
  await joining;
  await settled();
  expect([seat.state.value, publishers.length]).toEqual(['away', 0]);
});

test('who comes back to the page is still a guest, with the camera off', () => {
  const { seat, publishers } = createScene('joined');
  expect([seat.state.value, publishers.length]).toEqual(['away', 0]);
});

test('what the room holds back is told', async () => {
  const { seat, publishers, onStage } = createScene();
  await onStage();
  const held = publishers[0]?.held as Signal<{ sound: boolean; picture: boolean }>;
  held.value = { sound: true, picture: false };
  expect(seat.held.value.sound).toBe(true);
});
