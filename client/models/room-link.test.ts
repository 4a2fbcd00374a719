import { expect, test } from 'vitest';
import type { SocketErrorCode } from '#contract';
import { RoomSocket } from '../media/room-socket.ts';
import { createFakeRoom } from '../testing/fake-room.ts';
import { createManualClock } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { reconnectBackoff } from './backoff.ts';
import { linkStableMs, RoomLink, viewerOverlapMs } from './room-link.ts';

type SceneOptions = {
  /** The node that the n-th ticket is for, where it is not the usual one. */
  nodes?: Record<number, string>;
  /** What the edge refuses the n-th ticket with. */
  grantFails?: Record<number, ApiError['code']>;
  /** What the room refuses the n-th socket with. */
  joinFails?: Record<number, SocketErrorCode>;
  /** The requests that the room does not answer. */
  silent?: string[];
};

function createScene({
  grantFails = {},
  joinFails = {},
  nodes = {},
  silent = [],
}: SceneOptions = {}) {
  const clock = createManualClock();
  let grants = 0;
  let joins = 0;
  const unreachable: (string | undefined)[] = [];
  const server = createFakeRoom({
    answer: (frame) => {
      if (silent.includes(frame.type)) return { silence: true };
      if (frame.type !== 'join') return undefined;
      joins += 1;
      return joinFails[joins];
    },
  });
  const link = RoomLink.create({
    async grant(url) {
      grants += 1;
      unreachable.push(url);
      const code = grantFails[grants];
      if (code) throw new ApiError(code, 401, null, 'no');
      const room = {
        url: `ws://${nodes[grants] ?? 'node'}/room`,
        ticket: `ticket-${grants}`,
        iceServers: [],
      };
      return { transport: 'webrtc', room, hls: null, stage: null };
    },
    join: (room) => RoomSocket.join(room, { openWebSocket: server.open, clock }),
    clock,
    random: () => 1,
  });
  return { clock, server, link, unreachable, grants: () => grants };
}

test('a revoked ticket is exchanged for a new one at once, and the link goes on', async () => {
  const { clock, server, link, grants } = createScene();
  await clock.advance(linkStableMs);
  server.latest().close('revoked');
  await clock.advance(0);
  expect(link.state.value).toBe('open');
  expect(link.refusal.value).toBeNull();
  expect(server.latest().frames[0]).toMatchObject({ type: 'join', ticket: 'ticket-2' });
  // So it is each time, if the link has held in between.
  await clock.advance(linkStableMs);
  server.latest().close('revoked');
  await clock.advance(0);
  expect(grants()).toBe(3);
  expect(link.state.value).toBe('open');
  link.close();
});

test('a link that was dropped a moment before does not wait either when it is revoked', async () => {
  const { clock, server, link } = createScene();
  await clock.advance(0);
  server.latest().close();
  await clock.advance(reconnectBackoff.firstMs);
  server.latest().close('revoked');
  await clock.advance(0);
  expect(server.connections).toHaveLength(3);
  expect(link.state.value).toBe('open');
  link.close();
});

test('a new ticket that is revoked as well is waited for, and not for ever at one pace', async () => {
  const { clock, server, link, grants } = createScene({
    joinFails: { 1: 'revoked', 2: 'revoked', 3: 'revoked' },
  });
  await clock.advance(0);
  expect([grants(), link.state.value]).toEqual([2, 'connecting']);
  await clock.advance(2 * reconnectBackoff.firstMs - 1);
  expect(grants()).toBe(2);
  await clock.advance(1);
  expect(grants()).toBe(3);
  await clock.advance(4 * reconnectBackoff.firstMs);
  expect([server.connections.length, link.state.value]).toEqual([4, 'open']);
  link.close();
});

test('whose log-in was revoked comes back as nobody in particular where that is allowed', async () => {
  const { clock, server, link, grants } = createScene({ grantFails: { 2: 'unauthenticated' } });
  await clock.advance(0);
  server.latest().close('revoked');
  await clock.advance(0);
  expect([grants(), link.state.value]).toEqual([3, 'open']);
  link.close();
});

test('whose log-in was revoked is told so where nobody gets in without one', async () => {
  const { clock, server, link, grants } = createScene({
    grantFails: { 2: 'session-expired', 3: 'unauthenticated' },
  });
  await clock.advance(0);
  server.latest().close('revoked');
  await clock.advance(60_000);
  expect([link.state.value, link.refusal.value]).toEqual(['closed', 'unauthenticated']);
  expect([grants(), server.connections.length]).toEqual([3, 1]);
});

test('a log-in that ended without a revocation is final at once', async () => {
  const { clock, link, grants } = createScene({ grantFails: { 1: 'unauthenticated' } });
  await clock.advance(60_000);
  expect([link.state.value, grants()]).toEqual(['closed', 1]);
});

test('whoever may not come back after a revocation does not knock again', async () => {
  const { clock, server, link, grants } = createScene({ grantFails: { 2: 'forbidden' } });
  await clock.advance(0);
  server.latest().close('revoked');
  await clock.advance(60_000);
  expect([link.state.value, link.refusal.value]).toEqual(['closed', 'forbidden']);
  expect(grants()).toBe(2);
});

test('who is sent to another node keeps the old socket until the new one has had time to show something', async () => {
  const { clock, server, link } = createScene({ nodes: { 2: 'other' } });
  await clock.advance(0);
  const [old] = server.connections;
  const before = link.socket.value;
  old?.send({ type: 'room.move' });
  await clock.advance(0);
  expect(server.connections).toHaveLength(2);
  expect(link.socket.value).not.toBe(before);
  expect([link.state.value, before?.isOpen]).toEqual(['open', true]);
  await clock.advance(viewerOverlapMs);
  expect(before?.isOpen).toBe(false);
  expect([link.state.value, link.socket.value?.isOpen]).toEqual(['open', true]);
  // The new one drops like any other.
  server.latest().close();
  await clock.advance(reconnectBackoff.firstMs);
  expect(server.connections).toHaveLength(3);
  link.close();
});

test('who has no other node to go to stays where they are, and so does who is refused there', async () => {
  for (const options of [{}, { nodes: { 2: 'other' }, joinFails: { 2: 'unavailable' as const } }]) {
    const { clock, server, link } = createScene(options);
    await clock.advance(0);
    const before = link.socket.value;
    server.latest().send({ type: 'room.move' });
    await clock.advance(viewerOverlapMs);
    expect(link.socket.value).toBe(before);
    expect([link.state.value, before?.isOpen]).toEqual(['open', true]);
    link.close();
  }
});

test('a node that does not take us in is named with the next request, and not for ever', async () => {
  const { clock, link, unreachable } = createScene({
    joinFails: { 1: 'unavailable' },
    nodes: { 2: 'other' },
  });
  await clock.advance(reconnectBackoff.firstMs);
  expect(link.state.value).toBe('open');
  link.rejoin();
  await clock.advance(2 * reconnectBackoff.firstMs);
  expect(unreachable).toEqual([undefined, 'ws://node/room', undefined]);
  link.close();
});

test('a node that has fallen silent is named with the next request', async () => {
  const { clock, link, unreachable } = createScene({ silent: ['ping'], nodes: { 2: 'other' } });
  await clock.advance(0);
  link.socket.value?.check(1_000);
  await clock.advance(1_000 + reconnectBackoff.firstMs);
  expect(link.state.value).toBe('open');
  expect(unreachable).toEqual([undefined, 'ws://node/room']);
  link.close();
});

test('a node that refuses us for a reason of ours is not called unreachable', async () => {
  const { clock, link, unreachable } = createScene({ joinFails: { 1: 'ticket-invalid' } });
  await clock.advance(reconnectBackoff.firstMs);
  expect(unreachable).toEqual([undefined, undefined]);
  link.close();
});
