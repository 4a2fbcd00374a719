import { expect, test } from 'vitest';
import type { RoomEvent, RoomEventList, TicketGrant } from '#contract';
import { RoomSocket } from '../media/room-socket.ts';
import { anyUuid, createFakeRoom, type FakeRoomOptions } from '../testing/fake-room.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { reconnectBackoff } from './backoff.ts';
import { resumeOverlapIds } from './feed.ts';
import { createRoom } from './room.ts';
import { linkAttemptsMax, linkStableMs, notLivePauseMs } from './room-link.ts';

const said = (id: number): RoomEvent => ({
  id,
  streamId: anyUuid,
  at: '2026-01-01T00:00:00.000Z',
  type: 'chat.message',
  data: {
    messageId: anyUuid,
    userId: anyUuid,
    username: 'ann',
    role: 'viewer',
    body: `line ${id}`,
  },
});

type SceneOptions = FakeRoomOptions & { grantFails?: (attempt: number) => ApiError | null };

function createScene(options: SceneOptions = {}) {
  const clock = createManualClock();
  const server = createFakeRoom(options);
  const grants: string[] = [];
  const asked: (number | undefined)[] = [];
  let stored: RoomEvent[] = [];
  let resyncNeeded = false;
  let eventsFail = 0;

  const streams = {
    async ticket(): Promise<TicketGrant> {
      const ticket = `ticket-${grants.length + 1}`;
      grants.push(ticket);
      const failure = options.grantFails?.(grants.length);
      if (failure) throw failure;
      return {
        transport: 'webrtc',
        room: { url: 'ws://node/room', ticket, iceServers: [] },
        hls: null,
        stage: null,
      };
    },
    async events(_id: string, after?: number): Promise<RoomEventList> {
      asked.push(after);
      if (eventsFail > 0) {
        eventsFail -= 1;
        throw new ApiError('network', 0, null, 'lost');
      }
      return { events: stored.filter(({ id }) => id > (after ?? 0)), resyncNeeded };
    },
  };

  const room = createRoom({
    streamId: anyUuid,
    api: { streams },
    grant: () => streams.ticket(),
    join: (where) => RoomSocket.join(where, { openWebSocket: server.open, clock }),
    clock,
    random: () => 1,
  });
  return {
    clock,
    server,
    room,
    grants,
    asked,
    store: (...events: RoomEvent[]) => {
      stored = [...stored, ...events];
    },
    needResync: () => {
      resyncNeeded = true;
    },
    failEvents: (times: number) => {
      eventsFail = times;
    },
    shown: () => room.feed.lines.value.map((line) => line.id),
  };
}

test('after a drop the room is joined again with a new ticket, resumed after the last event, and nothing is shown twice', async () => {
  const { clock, server, room, grants, asked, store, shown } = createScene();
  store(said(100));
  await clock.advance(0);
  server.latest().send({ type: 'room.event', event: said(101) });
  expect(shown()).toEqual([100, 101]);

  store(said(101), said(102), said(103));
  server.latest().close();
  await settled();
  expect(room.link.state.value).toBe('reconnecting');
  await clock.advance(reconnectBackoff.firstMs);

  expect(room.link.state.value).toBe('open');
  expect(grants).toEqual(['ticket-1', 'ticket-2']);
  expect(server.latest().frames[0]).toMatchObject({ ticket: 'ticket-2' });
  expect(asked[asked.length - 1]).toBe(101 - resumeOverlapIds);
  server.latest().send({ type: 'room.event', event: said(103) });
  expect(shown()).toEqual([100, 101, 102, 103]);
  room.close();
});

test('a resync fetches what was missed while the socket stays', async () => {
  const { clock, server, room, store, shown, grants } = createScene();
  await clock.advance(0);
  server.latest().send({ type: 'room.event', event: said(7) });
  store(said(8), said(9));
  server.latest().send({ type: 'room.resync' });
  await settled();
  expect(shown()).toEqual([7, 8, 9]);
  expect(grants).toHaveLength(1);
  room.close();
});

test('a gap is filled although live events arrive before the join has settled', async () => {
  let joins = 0;
  const scene = createScene({
    answer: (frame) => {
      if (frame.type === 'join') {
        joins += 1;
        if (joins === 2) {
          queueMicrotask(() =>
            scene.server.latest().send({ type: 'room.event', event: said(900) }),
          );
        }
      }
      return undefined;
    },
  });
  const { clock, server, room, store, shown } = scene;
  await clock.advance(0);
  server.latest().send({ type: 'room.event', event: said(200) });
  server.latest().close();
  await settled();
  store(said(201), said(202));
  await clock.advance(reconnectBackoff.firstMs);
  expect(shown()).toEqual([200, 201, 202, 900]);
  room.close();
});

test('a fetch of missed events that fails is tried again, from where it began', async () => {
  const { clock, server, room, store, shown, failEvents } = createScene();
  await clock.advance(0);
  server.latest().send({ type: 'room.event', event: said(300) });
  store(said(301));
  failEvents(2);
  server.latest().send({ type: 'room.resync' });
  await settled();
  server.latest().send({ type: 'room.event', event: said(950) });
  await clock.advance(5_000);
  expect(shown()).toEqual([300, 301, 950]);
  room.close();
});

test('when more was missed than one page holds, the page is shown and the past is dropped', async () => {
  const { clock, server, room, store, shown, needResync } = createScene();
  await clock.advance(0);
  server.latest().send({ type: 'room.event', event: said(1_000) });
  needResync();
  store(said(5_000), said(5_001));
  server.latest().send({ type: 'room.resync' });
  await settled();
  expect(shown()).toEqual([5_000, 5_001]);
  room.close();
});

test('attempts wait longer and longer, up to the limit, and start afresh after a link that held', async () => {
  const { clock, server, room } = createScene({ refuseFirst: 9 });
  const opened: number[] = [];
  let seen = 0;
  const startedAtMs = clock.now();
  for (let step = 0; step < 600 && room.link.state.value !== 'open'; step += 1) {
    await clock.advance(100);
    if (server.connections.length > seen) opened.push(clock.now() - startedAtMs);
    seen = server.connections.length;
  }
  const waits = opened.slice(1).map((atMs, place) => atMs - (opened[place] ?? 0));
  for (const wait of waits) expect(wait).toBeLessThanOrEqual(reconnectBackoff.maxMs);
  expect(waits[waits.length - 1]).toBeGreaterThan((waits[0] ?? 0) * 10);

  await clock.advance(linkStableMs);
  server.latest().close();
  await settled();
  const before = server.connections.length;
  await clock.advance(reconnectBackoff.firstMs);
  expect(server.connections.length).toBe(before + 1);
  room.close();
});

test('a network that is back is used at once', async () => {
  const { clock, server, room } = createScene({ refuseFirst: 6 });
  await clock.advance(4_000);
  const before = server.connections.length;
  room.link.nudge();
  await settled();
  expect(server.connections.length).toBe(before + 1);
  room.close();
});

test('the end of the stream is final; nobody knocks again', async () => {
  const { clock, server, room } = createScene();
  await clock.advance(0);
  server.latest().close('stream-ended');
  await clock.advance(60_000);
  expect(room.link.state.value).toBe('closed');
  expect(room.link.refusal.value).toBe('stream-ended');
  expect(server.connections).toHaveLength(1);
});

test('a stream that is not live yet is asked for again until it is', async () => {
  const { clock, room, grants } = createScene({
    grantFails: (attempt) =>
      attempt < 4 ? new ApiError('stream-not-live', 409, null, 'not yet') : null,
  });
  await clock.advance(0);
  expect(room.link.state.value).toBe('not-live');
  await clock.advance(3 * notLivePauseMs);
  expect(room.link.state.value).toBe('open');
  expect(grants).toHaveLength(4);
  room.close();
});

test('a room that stays out of reach is given up after the limit, and tried again on request', async () => {
  const { clock, server, room } = createScene({ refuseFirst: linkAttemptsMax + 1 });
  await clock.advance((linkAttemptsMax + 2) * reconnectBackoff.maxMs);
  expect(room.link.state.value).toBe('closed');
  const tried = server.connections.length;
  expect(tried).toBe(linkAttemptsMax + 1);
  room.link.retry();
  await clock.advance(0);
  expect(room.link.state.value).toBe('open');
  room.close();
});

test('a room that is left opens nothing any more', async () => {
  const { clock, server, room } = createScene();
  await clock.advance(0);
  room.close();
  await clock.advance(60_000);
  expect(server.connections).toHaveLength(1);
});
