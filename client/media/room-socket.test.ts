import { expect, test } from 'vitest';
import { createFakeRoom, type FakeRoomOptions, silence } from '../testing/fake-room.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import {
  pingIntervalMs,
  pingTimeoutMs,
  RoomSocket,
  type RoomSocketDeps,
  requestsOpenMax,
  requestTimeoutMs,
  socketOpenTimeoutMs,
} from './room-socket.ts';

async function enter(options: FakeRoomOptions & Pick<RoomSocketDeps, 'transportAhead'> = {}) {
  const { transportAhead = null, ...answers } = options;
  const clock = createManualClock();
  const room = createFakeRoom(answers);
  const socket = await RoomSocket.join(
    { url: 'ws://node/room', ticket: 'ticket-1', iceServers: [] },
    { openWebSocket: room.open, clock, transportAhead },
  );
  return { clock, room, socket };
}

test('joining sends the ticket in the first frame and tells what the room said', async () => {
  const { room, socket } = await enter();
  expect(room.latest().frames[0]).toMatchObject({ type: 'join', ticket: 'ticket-1', version: 1 });
  expect(socket.joined.viewers).toBe(3);
});

test('answers find their request by id, in whatever order they come', async () => {
  const { room, socket } = await enter({
    answer: (frame) => (frame.type === 'join' ? undefined : silence),
  });
  const first = socket.request('produce', {
    transportId: 't',
    kind: 'audio',
    source: 'microphone',
    rtpParameters: {},
  });
  const second = socket.request('ping', {});
  const [, produce, ping] = room.latest().frames;
  room.latest().send({ type: 'response', id: ping?.id ?? -1, data: {} });
  room.latest().send({ type: 'response', id: produce?.id ?? -1, data: { producerId: 'p1' } });
  expect(await second).toEqual({});
  expect(await first).toEqual({ producerId: 'p1' });
});

test('a refused request fails with the code of the room and harms no other', async () => {
  const { socket } = await enter({
    answer: (frame) => (frame.type === 'consumer.layers' ? 'not-found' : undefined),
  });
  const layers = { consumerId: 'c', spatialLayer: 0, temporalLayer: 0 };
  await expect(socket.request('consumer.layers', layers)).rejects.toMatchObject({
    code: 'not-found',
  });
  expect(await socket.request('ping', {})).toEqual({});
});

test('a request that is never answered fails when its time is up', async () => {
  const { clock, socket } = await enter({
    answer: (frame) => (frame.type === 'consume' ? silence : undefined),
  });
  const asked = socket.request('consume', { transportId: 't', rtpCapabilities: {} });
  const outcome = expect(asked).rejects.toMatchObject({ code: 'late' });
  await clock.advance(requestTimeoutMs);
  await outcome;
});

test('a socket that answers no ping is ended, so that another one is opened', async () => {
  const { clock, socket } = await enter({
    answer: (frame) => (frame.type === 'ping' ? silence : undefined),
  });
  await clock.advance(pingIntervalMs + pingTimeoutMs);
  expect(await socket.ended).toBe('late');
  expect(socket.isOpen).toBe(false);
});

test('a ticket that was revoked is refused by that name, as is a socket that had it', async () => {
  await expect(enter({ answer: () => 'revoked' })).rejects.toMatchObject({ code: 'revoked' });
  const { room, socket } = await enter();
  room.latest().close('revoked');
  expect(await socket.ended).toBe('revoked');
});

test('the end of a socket tells why, and fails every open request', async () => {
  const { room, socket } = await enter({
    answer: (frame) => (frame.type === 'join' ? undefined : silence),
  });
  const asked = socket.request('consume', { transportId: 't', rtpCapabilities: {} });
  room.latest().close('stream-ended');
  await expect(asked).rejects.toMatchObject({ code: 'stream-ended' });
  expect(await socket.ended).toBe('stream-ended');
});

test('a notice that comes before anybody listens is not lost', async () => {
  const { room, socket } = await enter();
  room.latest().send({ type: 'room.viewers', viewers: 8 });
  const heard: unknown[] = [];
  socket.onNotice((notice) => heard.push(notice));
  expect(heard).toEqual([{ type: 'room.viewers', viewers: 8 }]);
});

test('frames that are not understood are passed over', async () => {
  const { room, socket } = await enter();
  const { socket: raw } = room.latest();
  for (const data of ['not json', '{"type":"room.surprise"}', '[]']) {
    raw.dispatchEvent(new MessageEvent('message', { data }));
  }
  await settled();
  expect(socket.isOpen).toBe(true);
});

test('a socket that does not open in time is given up', async () => {
  const clock = createManualClock();
  const never = new EventTarget() as unknown as WebSocket;
  Object.assign(never, { readyState: 0, close: () => {}, send: () => {} });
  const joining = RoomSocket.join(
    { url: 'ws://node/room', ticket: 't', iceServers: [] },
    { openWebSocket: () => never, clock },
  );
  const outcome = expect(joining).rejects.toMatchObject({ code: 'late' });
  await clock.advance(socketOpenTimeoutMs);
  await outcome;
});

test('only so many requests may be open at a time', async () => {
  const { socket } = await enter({
    answer: (frame) => (frame.type === 'join' ? undefined : silence),
  });
  const open = Array.from({ length: requestsOpenMax }, () => socket.request('ping', {}));
  await expect(socket.request('ping', {})).rejects.toMatchObject({ code: 'rate-limited' });
  socket.close();
  for (const asked of open) await expect(asked).rejects.toMatchObject({ code: 'lost' });
});

const transport = {
  transportId: 't1',
  iceParameters: {},
  iceCandidates: [],
  dtlsParameters: {},
};

test('a transport asked for ahead goes out right behind the join, and is handed out once', async () => {
  const { room, socket } = await enter({
    transportAhead: 'receive',
    answer: (frame) => (frame.type === 'transport.create' ? transport : undefined),
  });
  expect(room.latest().frames.map(({ type }) => type)).toEqual(['join', 'transport.create']);
  expect(await socket.createTransport('receive')).toMatchObject({ transportId: 't1' });
  expect(room.latest().frames).toHaveLength(2);
  await socket.createTransport('receive');
  expect(room.latest().frames).toHaveLength(3);
});

test('a transport of the other direction than the one ahead is asked for by itself', async () => {
  const { room, socket } = await enter({
    transportAhead: 'receive',
    answer: (frame) => (frame.type === 'transport.create' ? transport : undefined),
  });
  await socket.createTransport('send');
  expect(room.latest().frames[2]).toMatchObject({ type: 'transport.create', direction: 'send' });
});

test('a refused join refuses the transport asked for ahead without a loose end', async () => {
  await expect(
    enter({ transportAhead: 'receive', answer: () => 'stream-ended' }),
  ).rejects.toMatchObject({ code: 'stream-ended' });
});

test('a socket that is open already is joined at once', async () => {
  const room = createFakeRoom();
  const open = room.open('ws://node/room');
  await settled();
  await RoomSocket.join(
    { url: 'ws://node/room', ticket: 'ticket-1', iceServers: [] },
    { openWebSocket: () => open, clock: createManualClock() },
  );
  expect(room.connections).toHaveLength(1);
  expect(room.latest().frames[0]).toMatchObject({ type: 'join' });
});
