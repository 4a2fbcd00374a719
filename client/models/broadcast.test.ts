import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { Stream, StreamState } from '#contract';
import type { PathState } from '../media/ice-guard.ts';
import type { Health } from '../media/publisher.ts';
import { RoomSocket } from '../media/room-socket.ts';
import { anyStream } from '../testing/any-stream.ts';
import { anyUuid, createFakeRoom } from '../testing/fake-room.ts';
import { createFakeStreams } from '../testing/fake-streams.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { reconnectBackoff } from './backoff.ts';
import { Broadcast, streamRefreshMs } from './broadcast.ts';
import { publisherOverlapMs } from './room-link.ts';
import type { PublisherHandle } from './sending.ts';

const streamIn = (state: StreamState): Stream =>
  anyStream({ id: anyUuid, state, performer: { id: anyUuid, username: 'meera' } });

function createScene() {
  const clock = createManualClock();
  const server = createFakeRoom();
  const publishers: (PublisherHandle & { closed: boolean; videos: unknown[] })[] = [];
  const video = signal<MediaStreamTrack | null>({ id: 'camera' } as MediaStreamTrack);
  const made: string[] = [];
  const intents: string[] = [];
  let state: StreamState = 'created';
  let startFails = false;
  let publishFails: string | null = null;
  let tickets = 0;
  let url = 'ws://x';
  const streams = createFakeStreams({
    async create(_body, key) {
      made.push(key);
      return streamIn('created');
    },
    async start() {
      if (startFails) throw new ApiError('network', 0, null, 'lost');
      state = 'starting';
      return streamIn(state);
    },
    read: async () => streamIn(state),
    async end() {
      state = 'ended';
      return streamIn(state);
    },
    async ticket(_id, wish) {
      tickets += 1;
      intents.push(wish.intent);
      return {
        transport: 'webrtc',
        room: { url, ticket: `t${tickets}`, iceServers: [] },
        hls: null,
        stage: null,
      };
    },
    events: async () => ({ events: [], resyncNeeded: false }),
  });
  const broadcast = Broadcast.create({
    api: { streams },
    join: (room) => RoomSocket.join(room, { openWebSocket: server.open, clock }),
    desk: {
      videoOut: video,
      audioOut: signal(null),
      ladder: signal('720p30'),
      codec: signal('compatible'),
    },
    async openPublisher() {
      if (publishFails) throw Object.assign(new Error('refused'), { code: publishFails });
      const publisher = {
        path: signal<PathState>('connected'),
        health: signal<Health | null>(null),
        held: signal({ sound: false, picture: false }),
        closed: false,
        videos: [] as unknown[],
        replaceVideo: async (track: MediaStreamTrack) => void publisher.videos.push(track),
        replaceAudio: async () => {},
        close() {
          publisher.closed = true;
        },
      };
      publishers.push(publisher);
      return publisher;
    },
    clock,
    newKey: () => `key-${made.length + 1}`,
    onRoom: () => {},
  });
  return {
    clock,
    server,
    broadcast,
    publishers,
    video,
    made,
    intents,
    tickets: () => tickets,
    moveTo: (node: string) => {
      url = node;
    },
    setState: (now: StreamState) => {
      state = now;
    },
    failStart: (fails: boolean) => {
      startFails = fails;
    },
    failPublish: (code: string | null) => {
      publishFails = code;
    },
  };
}

const body = { title: 'Piano', category: 'music' } as const;

test('going live publishes once and turns live when the edge says so', async () => {
  const { clock, broadcast, publishers, setState } = createScene();
  await broadcast.goLive(body);
  await settled();
  expect(publishers).toHaveLength(1);
  expect(broadcast.phase.value).toBe('starting');
  setState('live');
  await clock.advance(streamRefreshMs);
  expect(broadcast.phase.value).toBe('live');
  broadcast.close();
});

test('after a dropped socket the same tracks are published again with a new ticket', async () => {
  const { clock, broadcast, server, publishers, tickets } = createScene();
  await broadcast.goLive(body);
  await settled();
  server.latest().close();
  await clock.advance(reconnectBackoff.firstMs);
  expect(tickets()).toBe(2);
  expect(publishers).toHaveLength(2);
  expect(publishers.map(({ closed }) => closed)).toEqual([true, false]);
  broadcast.close();
});

test('on another node, what the old one gets goes on until its socket ends', async () => {
  const { clock, broadcast, server, publishers, moveTo } = createScene();
  await broadcast.goLive(body);
  await settled();
  const old = broadcast.room.value?.link.socket.peek();
  moveTo('ws://other');
  server.latest().send({ type: 'room.move' });
  await clock.advance(0);
  expect(publishers.map(({ closed }) => closed)).toEqual([false, false]);
  await clock.advance(publisherOverlapMs);
  expect(old?.isOpen).toBe(false);
  expect(publishers.map(({ closed }) => closed)).toEqual([true, false]);
  broadcast.close();
});

test('a lost media path publishes again by itself', async () => {
  const { clock, broadcast, publishers } = createScene();
  await broadcast.goLive(body);
  await settled();
  (publishers[0]?.path as ReturnType<typeof signal<PathState>>).value = 'lost';
  await clock.advance(reconnectBackoff.firstMs);
  expect(publishers).toHaveLength(2);
  broadcast.close();
});

test('a place that is still taken is asked for until it is free', async () => {
  const { clock, broadcast, publishers, failPublish } = createScene();
  failPublish('already-published');
  await broadcast.goLive(body);
  await clock.advance(6_000);
  expect(publishers).toHaveLength(0);
  failPublish(null);
  await clock.advance(6_000);
  expect(publishers).toHaveLength(1);
  expect(broadcast.fault.value).toBeNull();
  broadcast.close();
});

test('a start that failed is tried again on the stream that was made, not on a second one', async () => {
  const { broadcast, made, failStart } = createScene();
  failStart(true);
  await broadcast.goLive(body);
  expect(broadcast.phase.value).toBe('idle');
  expect(broadcast.fault.value).not.toBeNull();
  failStart(false);
  await broadcast.goLive(body);
  expect(broadcast.phase.value).toBe('starting');
  expect(made).toEqual(['key-1']);
  broadcast.close();
});

test('another camera replaces the picture without publishing anew', async () => {
  const { broadcast, publishers, video } = createScene();
  await broadcast.goLive(body);
  await settled();
  video.value = { id: 'screen' } as MediaStreamTrack;
  expect(publishers).toHaveLength(1);
  expect(publishers[0]?.videos).toEqual([{ id: 'screen' }]);
  broadcast.close();
});

test('ending lets everything go', async () => {
  const { clock, broadcast, publishers, server } = createScene();
  await broadcast.goLive(body);
  await settled();
  await broadcast.end();
  expect(broadcast.phase.value).toBe('ended');
  expect(publishers[0]?.closed).toBe(true);
  expect(server.latest().socket.readyState).toBe(3);
  await clock.advance(60_000);
  expect(server.connections).toHaveLength(1);
});

test('a stream that is sent from elsewhere is followed without sending, and told as live', async () => {
  const { broadcast, publishers, intents, setState } = createScene();
  setState('live');
  broadcast.follow(streamIn('live'));
  await settled();
  expect(broadcast.phase.value).toBe('live');
  expect(intents).toEqual(['watch']);
  expect(publishers).toHaveLength(0);
  await broadcast.end();
  expect(broadcast.phase.value).toBe('ended');
});

test('taking it over sends from here, in a room of its own, and not before', async () => {
  const { broadcast, publishers, intents, setState } = createScene();
  setState('live');
  broadcast.follow(streamIn('live'));
  await settled();
  const followed = broadcast.room.value;
  await broadcast.takeOver();
  await settled();
  expect(followed?.link.state.value).toBe('closed');
  expect(broadcast.sender.value).toBe('here');
  expect(intents).toEqual(['watch', 'publish']);
  expect(publishers).toHaveLength(1);
  broadcast.close();
  expect(publishers[0]?.closed).toBe(true);
});

test('what the room keeps back from everybody is told, whoever sends it', async () => {
  const { broadcast, server, setState } = createScene();
  setState('live');
  broadcast.follow(streamIn('live'));
  await settled();
  server.latest().send({
    type: 'room.media',
    sources: ['camera', 'microphone'],
    held: ['camera'],
    guests: [],
  });
  expect(broadcast.held.value).toEqual({ sound: false, picture: true });
  broadcast.close();
});
