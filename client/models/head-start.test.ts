import { expect, test } from 'vitest';
import type { TicketGrant } from '#contract';
import { createFakeRoom } from '../testing/fake-room.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createHeadStart, headStartLifeMs } from './head-start.ts';

const url = 'ws://node.example/room';

function createScene(grantOf?: () => Promise<TicketGrant>) {
  const clock = createManualClock();
  const server = createFakeRoom();
  let asked = 0;
  const headStart = createHeadStart({
    grant:
      grantOf ??
      (async () => {
        asked += 1;
        return {
          transport: 'webrtc',
          room: { url, ticket: `ticket-${asked}`, iceServers: [] },
          hls: null,
          stage: null,
        };
      }),
    openWebSocket: server.open,
    clock,
  });
  return { clock, server, headStart, asked: () => asked };
}

test('the ticket and the socket that were begun ahead are used, once', async () => {
  const { server, headStart, asked } = createScene();
  headStart.begin('stream-1');
  const grant = await headStart.takeGrant('stream-1');
  expect(grant?.room.ticket).toBe('ticket-1');
  expect(headStart.takeGrant('stream-1')).toBeNull();
  expect(server.connections).toHaveLength(1);
  expect(headStart.socketTo(url)).toBe(server.latest().socket);
  expect(server.connections).toHaveLength(1);
  expect(headStart.socketTo(url)).not.toBe(server.connections[0]?.socket);
  expect(asked()).toBe(1);
});

test('another stream or another address gets nothing of it', async () => {
  const { server, headStart } = createScene();
  headStart.begin('stream-1');
  await settled();
  expect(headStart.takeGrant('stream-2')).toBeNull();
  expect(headStart.socketTo('ws://elsewhere.example/room')).not.toBe(server.connections[0]?.socket);
});

test('a socket that has closed meanwhile is replaced by a new one', async () => {
  const { server, headStart } = createScene();
  headStart.begin('stream-1');
  await settled();
  server.latest().close();
  expect(headStart.socketTo(url)).not.toBe(server.connections[0]?.socket);
});

test('what nobody takes up is thrown away, and its socket closed', async () => {
  const { clock, server, headStart } = createScene();
  headStart.begin('stream-1');
  await settled();
  await clock.advance(headStartLifeMs);
  expect(server.latest().socket.readyState).toBe(3);
  expect(headStart.takeGrant('stream-1')).toBeNull();
});

test('a socket that was taken up lives on', async () => {
  const { clock, server, headStart } = createScene();
  headStart.begin('stream-1');
  await settled();
  headStart.socketTo(url);
  await clock.advance(headStartLifeMs);
  expect(server.latest().socket.readyState).toBe(1);
});

test('a refused ticket is told to whoever takes it up, and opens nothing', async () => {
  const refused = new ApiError('stream-ended', 410, null, 'over');
  const { server, headStart } = createScene(async () => {
    throw refused;
  });
  headStart.begin('stream-1');
  await settled();
  await expect(headStart.takeGrant('stream-1')).rejects.toBe(refused);
  expect(server.connections).toHaveLength(0);
});
