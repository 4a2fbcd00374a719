import { expect, test } from 'vitest';
import type { IceServer } from '#contract';
import { createFakeRoom } from '../testing/fake-room.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import type { types } from './device.ts';
import { disconnectedGraceMs, guardIce, iceRestartLimitMs } from './ice-guard.ts';
import { RoomSocket } from './room-socket.ts';

const relay = (username: string): IceServer => ({
  urls: ['turn:turn.example:3478?transport=udp'],
  username,
  credential: 'c',
});

/** A transport that writes down what it is told. */
function createTransport(canChangeRelays: boolean) {
  const acts: unknown[] = [];
  let hear: (state: string) => void = () => {};
  const transport = {
    id: 'transport-1',
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
  };
  return {
    acts,
    transport: transport as unknown as types.Transport,
    become: (state: string) => hear(state),
  };
}

async function guarded(canChangeRelays = true) {
  const clock = createManualClock();
  const room = createFakeRoom({
    answer: ({ type }) => (type === 'transport.restart-ice' ? { iceParameters: {} } : undefined),
  });
  const socket = await RoomSocket.join(
    { url: 'ws://node/room', ticket: 't', iceServers: [relay('old')] },
    { openWebSocket: room.open, clock },
  );
  const { acts, transport, become } = createTransport(canChangeRelays);
  return { clock, socket, acts, become, guard: guardIce(transport, socket, clock) };
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

test('a path that is not up again in time is lost', async () => {
  const { clock, become, guard } = await guarded();
  become('failed');
  await clock.advance(iceRestartLimitMs);
  expect(guard.state.value).toBe('lost');
});
