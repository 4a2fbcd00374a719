import { expect, test } from 'vitest';
import type { IceServer } from '#contract';
import { createFakeRoom } from '../testing/fake-room.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import type { types } from './device.ts';
import {
  busyLooksMin,
  disconnectedGraceMs,
  goneAfterMs,
  guardIce,
  iceRestartLimitMs,
  lookEveryMs,
  silenceMsMax,
} from './ice-guard.ts';
import { RoomSocket } from './room-socket.ts';

const relay = (username: string): IceServer => ({
  urls: ['turn:turn.example:3478?transport=udp'],
  username,
  credential: 'c',
});

/** A transport that writes down what it is told. */
function createTransport(canChangeRelays: boolean, direction: 'send' | 'recv') {
  const acts: unknown[] = [];
  let hear: (state: string) => void = () => {};
  let bytesReceived = 0;
  const transport = {
    id: 'transport-1',
    direction,
    on(_: 'connectionstatechange', listener: typeof hear) {
      hear = listener;
    },
    async updateIceServers({ iceServers }: { iceServers: RTCIceServer[] }) {
      if (!canChangeRelays) throw new Error('not supported');
      acts.push(iceServers.map(({ username }) => username));
    },
    async restartIce() {
      acts.push('restart');
    },
    async getStats() {
      return new Map([['pair', { id: 'pair', type: 'candidate-pair', bytesReceived }]]);
    },
  };
  return {
    acts,
    transport: transport as unknown as types.Transport,
    become: (state: string) => hear(state),
    receive() {
      bytesReceived += 1_000;
    },
  };
}

async function guarded(canChangeRelays = true, direction: 'send' | 'recv' = 'recv') {
  const clock = createManualClock();
  let isGone = false;
  const room = createFakeRoom({
    answer({ type }) {
      if (isGone) return { silence: true };
      return type === 'transport.restart-ice' ? { iceParameters: {} } : undefined;
    },
  });
  const socket = await RoomSocket.join(
    { url: 'ws://node/room', ticket: 't', iceServers: [relay('old')] },
    { openWebSocket: room.open, clock },
  );
  const { acts, transport, become, receive } = createTransport(canChangeRelays, direction);
  return {
    clock,
    socket,
    acts,
    become,
    receive,
    guard: guardIce(transport, socket, clock),
    /** The node answers nothing any more. */
    vanish() {
      isGone = true;
    },
  };
}

test('a path that breaks is mended through the relays of the newest ticket', async () => {
  const { clock, socket, acts, become, guard } = await guarded();
  become('connected');
  socket.renewIceServers([relay('new')]);
  become('disconnected');
  await clock.advance(disconnectedGraceMs);
  expect(acts).toEqual([['new'], 'restart']);
  become('connected');
  await clock.advance(iceRestartLimitMs);
  expect(guard.state.value).toBe('connected');
});

test('where relays cannot be changed the path is mended with the ones that it has', async () => {
  const { acts, become, guard } = await guarded(false);
  become('failed');
  await settled();
  expect(acts).toEqual(['restart']);
  expect(guard.state.value).toBe('mending');
});

type Guarded = Awaited<ReturnType<typeof guarded>>;

async function flow({ clock, receive }: Guarded, looks = busyLooksMin): Promise<void> {
  for (let look = 0; look < looks; look += 1) {
    receive();
    await clock.advance(lookEveryMs);
  }
}

test('a busy path that falls silent is mended before the browser calls it broken', async () => {
  const path = await guarded();
  const { clock, acts, become, guard } = path;
  become('connected');
  await flow(path);
  await clock.advance(silenceMsMax.recv + lookEveryMs);
  expect(acts).toContain('restart');
  expect(guard.state.value).toBe('mending');
  await flow(path, 1);
  expect(guard.state.value).toBe('connected');
  // It is watched as before.
  await flow(path);
  await clock.advance(silenceMsMax.recv + lookEveryMs);
  expect(acts.filter((act) => act === 'restart')).toHaveLength(2);
});

test('a path over which somebody sends is mended sooner', async () => {
  const path = await guarded(true, 'send');
  path.become('connected');
  await flow(path);
  await path.clock.advance(silenceMsMax.send + lookEveryMs);
  expect(path.acts).toContain('restart');
});

test('a path on which little was going on is left alone when it is silent', async () => {
  const path = await guarded();
  const { clock, acts, become } = path;
  become('connected');
  await flow(path, busyLooksMin - 1);
  await clock.advance(silenceMsMax.recv + lookEveryMs);
  await flow(path, 1);
  await clock.advance(60_000);
  expect(acts).toEqual([]);
});

test('a path that stays silent is not lost as long as the browser holds it for good', async () => {
  const path = await guarded();
  const { clock, acts, become, guard } = path;
  become('connected');
  await flow(path);
  await clock.advance(silenceMsMax.recv + lookEveryMs + iceRestartLimitMs);
  expect(guard.state.value).toBe('connected');
  await clock.advance(60_000);
  expect(acts.filter((act) => act === 'restart')).toHaveLength(1);
});

test('a silent path that the browser then calls broken is lost when it is not up in time', async () => {
  const path = await guarded();
  const { clock, become, guard } = path;
  become('connected');
  await flow(path);
  await clock.advance(silenceMsMax.recv + lookEveryMs);
  become('disconnected');
  await clock.advance(iceRestartLimitMs);
  expect(guard.state.value).toBe('lost');
});

test('a path that is not up again in time is lost', async () => {
  const { clock, become, guard } = await guarded();
  become('failed');
  await clock.advance(iceRestartLimitMs);
  expect(guard.state.value).toBe('lost');
});

test('a node that has gone without a word is left as soon as it is silent on both ways', async () => {
  const path = await guarded();
  path.become('connected');
  await flow(path);
  path.vanish();
  await path.clock.advance(silenceMsMax.recv + lookEveryMs);
  expect(path.socket.isOpen).toBe(true);
  await path.clock.advance(goneAfterMs);
  await expect(path.socket.ended).resolves.toBe('late');
  expect(path.guard.state.value).toBe('lost');
});

test('a node that answers is kept, however silent its media is', async () => {
  const path = await guarded();
  path.become('connected');
  await flow(path);
  await path.clock.advance(silenceMsMax.recv + lookEveryMs + goneAfterMs);
  expect(path.socket.isOpen).toBe(true);
});
