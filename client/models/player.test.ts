import { type Signal, signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { GuestOnStage, LayerSize, MediaSource, StreamState, TicketGrant } from '#contract';
import type { PathState } from '../media/ice-guard.ts';
import type { GuestMedia } from '../media/receiver.ts';
import type { RoomSocket, SocketFault } from '../media/room-socket.ts';
import { anySizes } from '../testing/any-sizes.ts';
import { joined } from '../testing/fake-room.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import type { HlsMedia } from './hls-side.ts';
import { createHlsTicket } from './hls-ticket.ts';
import { type LiveMedia, pictureWaitMs } from './live-side.ts';
import { Player, webrtcBreakLimitMs, webrtcConnectLimitMs, webrtcRetryFirstMs } from './player.ts';
import type { LinkState, RoomLink } from './room-link.ts';

type FakeReceiver = LiveMedia & {
  flowing: Signal<boolean>;
  pictured: Signal<boolean>;
  path: Signal<PathState>;
  socket: RoomSocket;
  closed: boolean;
};
type FakeHls = HlsMedia & { failed: Signal<boolean>; url: string; closed: boolean };

const playlist = 'https://media.example/live/s/index.m3u8';

function createScene(transport: TicketGrant['transport'] = 'webrtc') {
  const clock = createManualClock();
  const receivers: FakeReceiver[] = [];
  const playbacks: FakeHls[] = [];
  const shown: string[] = [];
  const socket = signal<RoomSocket | null>(null);
  const state = signal<LinkState>('connecting');
  const moving = signal(false);
  const soundOnly = signal(false);
  let mayReceive = true;
  let receiverFault: object | null = null;
  let lacksHls = false;
  let rejoins = 0;
  let refused = false;

  function newSocket(): RoomSocket {
    const { promise: ended, resolve } = Promise.withResolvers<SocketFault>();
    let isOpen = true;
    const seen: Pick<RoomSocket, 'joined' | 'isOpen' | 'ended' | 'close'> = {
      joined: { ...joined, capabilities: mayReceive ? ['subscribe'] : [] },
      get isOpen() {
        return isOpen;
      },
      ended,
      close() {
        isOpen = false;
        resolve('lost');
      },
    };
    return seen as RoomSocket;
  }

  const grantOf = (): TicketGrant => ({
    transport,
    stage: null,
    room: { url: 'ws://x', ticket: 't', iceServers: [] },
    hls: {
      url: playlist,
      ticket: 'h',
      expiresAt: new Date(clock.now() + 300_000).toISOString(),
    },
  });
  const granted = signal<TicketGrant | null>(null);
  const link: Pick<RoomLink, 'socket' | 'state' | 'granted' | 'refusal' | 'rejoin'> = {
    socket,
    state,
    granted,
    refusal: signal(null),
    rejoin() {
      rejoins += 1;
      drop();
      queueMicrotask(join);
    },
  };
  const room = {
    // The player sees nothing else of a link.
    link,
    publishing: signal(true),
    sources: signal<readonly MediaSource[]>(['camera', 'microphone']),
    held: signal<readonly MediaSource[]>([]),
    guests: signal<readonly GuestOnStage[]>([]),
    streamState: signal<StreamState | null>('live'),
  };

  function join(): void {
    granted.value = grantOf();
    state.value = 'open';
    socket.value = newSocket();
  }
  function drop(): void {
    state.value = 'reconnecting';
    socket.value?.close();
    socket.value = null;
  }

  const ticket = createHlsTicket({
    async grant() {
      if (refused) throw new ApiError('forbidden', 403, null, 'refused');
      return grantOf();
    },
    clock,
  });
  const player = Player.create({
    room,
    surface: {
      moving,
      freeze: () => {},
      clear: () => {
        moving.value = false;
      },
      showStream: () => {
        shown.push('webrtc');
      },
    },
    viewing: { soundOnly },
    ticket,
    async openReceiver(over) {
      if (receiverFault) throw receiverFault;
      const receiver: FakeReceiver = {
        stream: {} as MediaStream,
        flowing: signal(false),
        pictured: signal(false),
        guests: signal([]),
        sizes: signal([]),
        path: signal<PathState>('new'),
        latencyMs: signal(120),
        socket: over,
        closed: false,
        close() {
          receiver.closed = true;
        },
      };
      receivers.push(receiver);
      return receiver;
    },
    async openHls(url) {
      if (lacksHls) throw Object.assign(new Error('no decoder'), { name: 'UnsupportedError' });
      const playback: FakeHls = {
        latencyMs: signal(2_400),
        failed: signal(false),
        sizes: signal([]),
        url,
        closed: false,
        close() {
          playback.closed = true;
        },
      };
      playbacks.push(playback);
      shown.push('hls');
      return playback;
    },
    clock,
  });

  return {
    clock,
    player,
    ticket,
    room,
    receivers,
    playbacks,
    shown,
    moving,
    soundOnly,
    join,
    drop,
    rejoins: () => rejoins,
    latest: () => receivers[receivers.length - 1],
    setRefused: (now: boolean) => {
      refused = now;
    },
    setReceiverFault: (fault: object | null) => {
      receiverFault = fault;
    },
    withoutHls: () => {
      lacksHls = true;
    },
    setMayReceive: (may: boolean) => {
      mayReceive = may;
    },
    /** Media arrives from the newest receiver and pictures move. */
    async flow() {
      const receiver = receivers[receivers.length - 1];
      if (receiver) {
        receiver.flowing.value = true;
        receiver.pictured.value = true;
      }
      moving.value = true;
      await settled();
    },
  };
}

test('WebRTC that connects in time is shown, and HLS is never opened', async () => {
  const { clock, player, join, flow, playbacks } = createScene();
  join();
  await clock.advance(webrtcConnectLimitMs - 1);
  await flow();
  await clock.advance(60_000);
  expect(player.transport.value).toBe('webrtc');
  expect(player.state.value).toBe('playing');
  expect(player.latencyMs.value).toBe(120);
  expect(playbacks).toHaveLength(0);
});

test('WebRTC that does not connect within the limit is changed for HLS, and its receiver is given back', async () => {
  const { clock, player, join, receivers, playbacks, moving, rejoins } = createScene();
  join();
  await clock.advance(webrtcConnectLimitMs);
  expect(playbacks).toHaveLength(1);
  expect(player.transport.value).toBe('hls');
  expect(player.hlsReason.value).toBe('fallback');
  expect(receivers[0]?.closed).toBe(false);
  moving.value = true;
  await settled();
  expect(receivers[0]?.closed).toBe(true);
  expect(rejoins()).toBe(1);
});

test('a room that cannot be joined at all ends in HLS, too', async () => {
  const { clock, player, room } = createScene();
  room.link.granted.value = {
    transport: 'webrtc',
    room: { url: 'ws://x', ticket: 't', iceServers: [] },
    hls: { url: playlist, ticket: 'h', expiresAt: new Date(clock.now() + 300_000).toISOString() },
    stage: null,
  };
  await clock.advance(webrtcConnectLimitMs);
  expect(player.transport.value).toBe('hls');
});

test('WebRTC is tried again behind a playing HLS, and taken when it flows', async () => {
  const { clock, player, join, moving, receivers, playbacks, flow } = createScene();
  join();
  await clock.advance(webrtcConnectLimitMs);
  moving.value = true;
  await settled();
  expect(receivers).toHaveLength(1);
  await clock.advance(webrtcRetryFirstMs);
  expect(receivers).toHaveLength(2);
  expect(player.transport.value).toBe('hls');
  await flow();
  expect(player.transport.value).toBe('webrtc');
  expect(player.hlsReason.value).toBeNull();
  expect(playbacks[0]?.closed).toBe(true);
});

test('attempts at WebRTC behind HLS grow rarer', async () => {
  const { clock, join, moving, receivers } = createScene();
  join();
  await clock.advance(webrtcConnectLimitMs);
  moving.value = true;
  await clock.advance(webrtcRetryFirstMs + webrtcConnectLimitMs);
  expect(receivers).toHaveLength(2);
  await clock.advance(webrtcRetryFirstMs);
  expect(receivers).toHaveLength(2);
  await clock.advance(webrtcRetryFirstMs);
  expect(receivers).toHaveLength(3);
});

test('WebRTC that breaks while the performer sends is changed for HLS', async () => {
  const { clock, player, join, flow, latest, moving } = createScene();
  join();
  await settled();
  await flow();
  const receiver = latest();
  if (receiver) receiver.flowing.value = false;
  moving.value = false;
  await clock.advance(webrtcBreakLimitMs - 1);
  expect(player.transport.value).toBe('webrtc');
  await clock.advance(1);
  expect(player.transport.value).toBe('hls');
});

test('a picture that is held is covered, and HLS is not asked for what nobody gets', async () => {
  const { clock, player, room, join, flow, latest, playbacks } = createScene();
  join();
  await settled();
  await flow();
  room.held.value = ['camera', 'microphone'];
  expect(player.state.value).toBe('held');
  const receiver = latest();
  if (receiver) receiver.flowing.value = false;
  await clock.advance(webrtcConnectLimitMs + webrtcBreakLimitMs);
  expect([playbacks.length, player.transport.value]).toEqual([0, 'webrtc']);
  room.held.value = [];
  await flow();
  expect(player.state.value).toBe('playing');
});

test('with sound only a room that is heard is covered, and no motion is waited for', async () => {
  const { clock, player, soundOnly, join, flow, latest, moving, playbacks } = createScene();
  soundOnly.value = true;
  join();
  await settled();
  expect(player.state.value).toBe('connecting');
  const receiver = latest();
  if (receiver) receiver.flowing.value = true;
  await clock.advance(600_000);
  expect(player.state.value).toBe('sound');
  expect([playbacks.length, player.transport.value]).toEqual([0, 'webrtc']);
  soundOnly.value = false;
  await flow();
  expect(player.state.value).toBe('playing');
  moving.value = false;
  expect(player.state.value).toBe('buffering');
});

test('with sound only a broken room is changed for HLS, whose sound is enough to give the receiver back', async () => {
  const { clock, player, soundOnly, join, receivers, rejoins, moving } = createScene();
  soundOnly.value = true;
  join();
  await clock.advance(webrtcConnectLimitMs);
  expect(player.hlsReason.value).toBe('fallback');
  expect(player.state.value).toBe('sound');
  // It begins to play, and shows nothing that moves.
  moving.value = true;
  moving.value = false;
  await settled();
  expect([receivers[0]?.closed, rejoins()]).toEqual([true, 1]);
  await clock.advance(webrtcRetryFirstMs + webrtcConnectLimitMs);
  expect(receivers.map(({ closed }) => closed)).toEqual([true, true]);
});

test('what there is to choose comes from whichever way the picture comes', async () => {
  const { player, join, flow, latest, playbacks } = createScene();
  join();
  await settled();
  await flow();
  const sizes = latest()?.sizes as Signal<readonly LayerSize[]>;
  sizes.value = anySizes;
  expect(player.sizes.value).toEqual(anySizes);
  player.choose('hls');
  await settled();
  expect(player.sizes.value).toEqual([]);
  const levels = playbacks[0]?.sizes as Signal<readonly LayerSize[]>;
  levels.value = anySizes.slice(1);
  expect(player.sizes.value).toEqual(anySizes.slice(1));
});

test('of a guest whose picture is held no picture is shown, and of the others it is', async () => {
  const { player, room, join, latest } = createScene();
  join();
  await settled();
  const stream = {} as MediaStream;
  const guests = latest()?.guests as Signal<readonly GuestMedia[]>;
  guests.value = ['ann', 'ben'].map((id) => ({ id, name: id, stream, hasPicture: true }));
  room.guests.value = [
    { id: 'ann', name: 'ann', sources: ['camera'], held: ['camera'] },
    { id: 'ben', name: 'ben', sources: ['microphone', 'camera'], held: ['microphone'] },
  ];
  expect(player.guests.value.map(({ id, hasPicture }) => [id, hasPicture])).toEqual([
    ['ann', false],
    ['ben', true],
  ]);
});

test('a picture that cannot be decoded is seen by HLS, and live once it is published in another codec', async () => {
  const { clock, player, room, join, playbacks, receivers, setReceiverFault, flow } = createScene();
  setReceiverFault({ code: 'unsupported-media' });
  join();
  await settled();
  expect([playbacks.length, player.hlsReason.value]).toEqual([1, 'codec']);
  await clock.advance(10 * webrtcRetryFirstMs);
  expect(player.wantsLive).toBe(false);
  setReceiverFault(null);
  room.publishing.value = false;
  room.publishing.value = true;
  await clock.advance(webrtcRetryFirstMs);
  expect(receivers).toHaveLength(1);
  await flow();
  expect([player.transport.value, player.hlsReason.value]).toEqual(['webrtc', null]);
});

test('a browser that decodes neither the live picture nor HLS is told so', async () => {
  const { clock, player, join, setReceiverFault, withoutHls } = createScene();
  setReceiverFault({ code: 'unsupported-media' });
  withoutHls();
  join();
  await clock.advance(60_000);
  expect([player.state.value, player.hlsReason.value]).toEqual(['unplayable', 'codec']);
});

test('a browser without HLS goes back to the live picture when it comes after all', async () => {
  const { clock, player, join, withoutHls, flow } = createScene();
  withoutHls();
  join();
  await clock.advance(webrtcConnectLimitMs);
  expect(player.state.value).toBe('unplayable');
  await flow();
  expect([player.transport.value, player.state.value]).toEqual(['webrtc', 'playing']);
});

test('a performer who is away is waited for; nothing is changed over', async () => {
  const { clock, player, join, flow, latest, moving, room, playbacks } = createScene();
  join();
  await settled();
  await flow();
  room.publishing.value = false;
  const receiver = latest();
  if (receiver) receiver.flowing.value = false;
  moving.value = false;
  await clock.advance(60_000);
  expect(playbacks).toHaveLength(0);
  expect(player.state.value).toBe('waiting');
  room.publishing.value = true;
  await clock.advance(webrtcConnectLimitMs);
  expect(playbacks).toHaveLength(1);
});

test('after a dropped room the receiver is opened anew on the new socket, and the old one is let go', async () => {
  const { player, join, drop, flow, receivers } = createScene();
  join();
  await settled();
  await flow();
  drop();
  join();
  await settled();
  expect(receivers).toHaveLength(2);
  expect(receivers[0]?.closed).toBe(true);
  await flow();
  expect(player.transport.value).toBe('webrtc');
});

test('a room that was away for long brings WebRTC back at once, not only at the next attempt', async () => {
  const { clock, player, join, drop, flow, receivers, latest, moving } = createScene();
  join();
  await settled();
  await flow();
  drop();
  const receiver = latest();
  if (receiver) receiver.flowing.value = false;
  await clock.advance(webrtcBreakLimitMs);
  expect(player.transport.value).toBe('hls');
  moving.value = true;
  await clock.advance(3_000);
  join();
  await settled();
  expect(receivers).toHaveLength(2);
  await flow();
  expect(player.transport.value).toBe('webrtc');
});

test('who is moved to another node goes on seeing the old picture until the new one is there', async () => {
  const { player, join, flow, receivers, shown } = createScene();
  join();
  await settled();
  await flow();
  // The socket before is kept for a while.
  join();
  await settled();
  const [before, after] = receivers;
  if (!after) throw new Error('a receiver is opened on the new socket');
  after.flowing.value = true;
  await settled();
  expect([before?.closed, shown]).toEqual([false, ['webrtc']]);
  after.pictured.value = true;
  await settled();
  expect([before?.closed, shown]).toEqual([true, ['webrtc', 'webrtc']]);
  expect([player.transport.value, player.state.value]).toEqual(['webrtc', 'playing']);
});

test.each<[string, (scene: ReturnType<typeof createScene>, old: RoomSocket | null) => unknown]>([
  ['the limit', ({ clock }) => clock.advance(pictureWaitMs)],
  ['the end of the old socket', (_, old) => old?.close()],
  [
    'the end of the old media',
    ({ receivers }) => {
      if (receivers[0]) receivers[0].flowing.value = false;
    },
  ],
])('a new picture that does not come is waited for until %s', async (_name, end) => {
  const scene = createScene();
  const { join, flow, receivers, room } = scene;
  join();
  await settled();
  await flow();
  const old = room.link.socket.peek();
  join();
  await settled();
  expect(receivers.map(({ closed }) => closed)).toEqual([false, false]);
  await end(scene, old);
  await settled();
  expect(receivers.map(({ closed }) => closed)).toEqual([true, false]);
});

test('a lost path leads to a rejoin', async () => {
  const { join, flow, latest, receivers, rejoins } = createScene();
  join();
  await settled();
  await flow();
  const receiver = latest();
  if (receiver) receiver.path.value = 'lost';
  await settled();
  expect(rejoins()).toBe(1);
  expect(receivers).toHaveLength(2);
});

test('a viewer who chooses HLS gets it, gives the receiver back, and is not changed over again', async () => {
  const { clock, player, join, flow, receivers, moving } = createScene();
  join();
  await settled();
  await flow();
  player.choose('hls');
  await settled();
  moving.value = true;
  expect(player.transport.value).toBe('hls');
  expect(receivers[0]?.closed).toBe(true);
  await clock.advance(600_000);
  expect(receivers).toHaveLength(1);

  player.choose('live');
  await settled();
  expect(receivers).toHaveLength(2);
  expect(player.transport.value).toBe('hls');
  await flow();
  expect(player.transport.value).toBe('webrtc');
});

test('a ticket that places the viewer on HLS opens no receiver', async () => {
  const { clock, player, join, receivers } = createScene('hls');
  join();
  await clock.advance(600_000);
  expect(player.transport.value).toBe('hls');
  expect(player.hlsReason.value).toBe('placed');
  expect(receivers).toHaveLength(0);
});

test('a viewer without a live place may ask for one, which costs a new ticket', async () => {
  const { player, join, receivers, setMayReceive, rejoins, flow } = createScene('hls');
  setMayReceive(false);
  join();
  await settled();
  setMayReceive(true);
  player.choose('live');
  await settled();
  expect(rejoins()).toBe(1);
  expect(receivers).toHaveLength(1);
  await flow();
  expect(player.transport.value).toBe('webrtc');
});

test('whoever tips without a live place asks for one; with one, or by choice on HLS, nothing changes', async () => {
  const { player, join, receivers, setMayReceive, rejoins, flow } = createScene('hls');
  setMayReceive(false);
  join();
  await settled();
  expect(player.asksLive).toBe(false);
  setMayReceive(true);
  player.promote();
  await settled();
  expect(player.asksLive).toBe(true);
  expect([rejoins(), receivers.length]).toEqual([1, 1]);
  await flow();
  player.promote();
  player.choose('hls');
  player.promote();
  await settled();
  expect(player.choice.value).toBe('hls');
  expect(receivers).toHaveLength(1);
});

test('an HLS playback that fails is opened again', async () => {
  const { clock, player, join, playbacks } = createScene('hls');
  join();
  await settled();
  const [first] = playbacks;
  if (first) first.failed.value = true;
  await clock.advance(2_000);
  expect(playbacks).toHaveLength(2);
  expect(first?.closed).toBe(true);
  expect(player.transport.value).toBe('hls');
});

test('a viewer who is sent away is asked no more for tickets, and told that the stream is out of reach', async () => {
  const { clock, player, ticket, join, playbacks, moving, setRefused } = createScene('hls');
  join();
  await settled();
  moving.value = true;
  await clock.advance(20_000);
  const [first] = playbacks;
  setRefused(true);
  // The playlist was refused: one new ticket is asked for, in vain.
  ticket.renewNow();
  await settled();
  expect(first?.closed).toBe(true);
  expect(player.state.value).toBe('failed');
  expect(moving.value).toBe(false);
  await clock.advance(600_000);
  expect(playbacks).toHaveLength(1);
  expect(clock.waiting).toBe(0);

  // Tried again, and let in again.
  setRefused(false);
  ticket.renewNow();
  await settled();
  expect(playbacks).toHaveLength(2);
  moving.value = true;
  expect(player.state.value).toBe('playing');
});

test('the end of the stream stops everything', async () => {
  const { clock, player, join, flow, receivers, room } = createScene();
  join();
  await settled();
  await flow();
  room.streamState.value = 'ended';
  expect(player.state.value).toBe('ended');
  expect(receivers[0]?.closed).toBe(true);
  expect(clock.waiting).toBe(0);
});
