// The audience: viewers and publishers that are our client in all but the browser: its link, its back-off, its moves.
import { signal } from '@preact/signals';
import { RoomEventList, type TicketGrant } from '#contract';
import { RoomSocket } from '../../../client/media/room-socket.ts';
import { systemClock } from '../../../client/models/clock.ts';
import { LiveSide } from '../../../client/models/live-side.ts';
import { createRoom, type Room } from '../../../client/models/room.ts';
import { publisherOverlapMs } from '../../../client/models/room-link.ts';
import { createSendingState, Sending } from '../../../client/models/sending.ts';
import type { Receivers, Spell } from '../../../testing/receivers/receivers.ts';
import { openNativePublisher } from './native-publisher.ts';
import { type NativeMedia, openNativeReceiver } from './native-receiver.ts';
import { askTicket, type Performer, type Person } from './people.ts';

export interface Viewer {
  person: Person;
  room: Room;
  /** Where they watch now. */
  readonly nodeId: string;
  /** When packets of a track came, over all receivers that they have had. */
  spells(kind?: 'audio' | 'video'): Promise<Spell[]>;
  close(): void;
}

export interface Publisher {
  performer: Performer;
  room: Room;
  close(): void;
}

const clock = systemClock;

function joinWith(transportAhead: 'send' | 'receive') {
  return (room: TicketGrant['room']) =>
    RoomSocket.join(room, {
      openWebSocket: (url) => new WebSocket(url),
      clock,
      transportAhead,
    });
}

/** What a room asks of the edge besides tickets. */
function roomApi(person: Person) {
  return {
    streams: {
      async events(streamId: string, after?: number) {
        const query = after === undefined ? '' : `?after=${after}`;
        return RoomEventList.parse(await person.call('GET', `/streams/${streamId}/events${query}`));
      },
    },
  };
}

export function watch(
  person: Person,
  streamId: string,
  receivers: Receivers,
  { keeps = false }: { keeps?: boolean } = {},
): Viewer {
  const opened: NativeMedia[] = [];
  const room = createRoom({
    streamId,
    api: roomApi(person),
    grant: (unreachable) => askTicket(person, streamId, { intent: 'watch', unreachable }),
    join: joinWith('receive'),
    clock,
  });
  const live = LiveSide.create({
    link: room.link,
    async openReceiver(socket) {
      const media = await openNativeReceiver(socket, receivers, keeps);
      opened.push(media);
      return media;
    },
    onReceiver: () => undefined,
    // Without HLS there is nothing else to be had: the place is asked for again.
    onImpossible: () => {
      clock.after(1_000, () => live.seek());
    },
    clock,
  });
  live.seek();
  return {
    person,
    room,
    get nodeId() {
      return opened.at(-1)?.nodeId ?? '';
    },
    async spells(kind = 'video') {
      const found: Spell[] = [];
      for (const media of opened) found.push(...(await media.spells(kind)));
      return found;
    },
    close() {
      live.close();
      room.close();
    },
  };
}

export function publish(performer: Performer, receivers: Receivers): Publisher {
  const { streamId } = performer;
  const room = createRoom({
    streamId,
    api: roomApi(performer),
    grant: (unreachable) => askTicket(performer, streamId, { intent: 'publish', unreachable }),
    join: joinWith('send'),
    clock,
    moveOverlapMs: publisherOverlapMs,
  });
  const sending = Sending.begin(room.link, createSendingState(), {
    desk: {
      videoOut: signal(null),
      audioOut: signal(null),
      ladder: signal('720p30'),
      codec: signal('compatible'),
    },
    openPublisher: (socket) => openNativePublisher(socket, receivers),
    clock,
  });
  return {
    performer,
    room,
    close() {
      sending.close();
      room.close();
    },
  };
}
