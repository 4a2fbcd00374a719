// The watch page's model: one stream with its room, player, chat, tips and the show over the picture.

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Stream, TicketGrant } from '#contract';
import type { Surface } from '../media/surface.ts';
import type { Api } from './api.ts';
import { createChat } from './chat.ts';
import { type Clock, repeat } from './clock.ts';
import type { HlsMedia } from './hls-side.ts';
import { createHlsTicket, type HlsTicket } from './hls-ticket.ts';
import type { LiveSideDeps } from './live-side.ts';
import { createLoaded } from './load.ts';
import { type Choice, Player } from './player.ts';
import { createRaidNotice } from './raid-notice.ts';
import { createRoom, type RoomDeps } from './room.ts';
import { shareRequest } from './shared-request.ts';
import { createStageSeat, type StageSeatDeps } from './stage-seat.ts';
import { createTipBar } from './tip-bar.ts';
import { createTipShow } from './tip-show.ts';
import type { Toasts } from './toasts.ts';
import type { Viewing } from './viewing.ts';
import type { WalletModel } from './wallet.ts';
import { createWatchGate } from './watch-gate.ts';

export const streamRefreshMs = 15_000;

export type WatchDeps = {
  streamId: string;
  /** What the address asks for. */
  choice?: Choice;
  api: Pick<Api, 'guests' | 'streams' | 'tips'>;
  /** Where somebody most likely is. */
  country: string;
  wallet: WalletModel;
  /** How its pictures are looked at; ends with the model. */
  viewing: Viewing;
  self: { id: string; username: string } | null;
  usuallyAnonymous: ReadonlySignal<boolean>;
  clock: Clock;
  toasts: Pick<Toasts, 'show'>;
  newKey: () => string;
  join: RoomDeps['join'];
  /** To another stream, where the performer leads the viewers. */
  goToStream: (streamId: string) => void;
  /** The ticket that was asked for before this model was there, if it was. */
  takeGrant: (streamId: string) => Promise<TicketGrant> | null;
  openReceiver: LiveSideDeps['openReceiver'];
  stage: Pick<StageSeatDeps, 'api' | 'openDesk' | 'openPublisher'> & {
    join: StageSeatDeps['join'];
  };
  openHls: (video: HTMLVideoElement, url: string, ticket: HlsTicket) => Promise<HlsMedia>;
};

export function createWatch(deps: WatchDeps) {
  const { streamId, api, wallet, self, clock, toasts, newKey } = deps;
  const player = signal<Player | null>(null);
  // One grant holds the tickets of room and HLS: who asks for both at a time gets both from it.
  let hasAsked = false;
  let unreachable: string | undefined;
  const grant = shareRequest(() => {
    // What was asked ahead answers the first question alone: later ones are asked because things have changed.
    const ahead = hasAsked ? null : deps.takeGrant(streamId);
    hasAsked = true;
    return (
      ahead ??
      api.streams.ticket(streamId, {
        intent: 'watch',
        live: player.peek()?.asksLive ?? false,
        unreachable,
      })
    );
  });
  const room = createRoom({
    streamId,
    api,
    grant(away) {
      unreachable = away;
      return grant();
    },
    join: deps.join,
    clock,
  });
  const stream = createLoaded<Stream>(() => api.streams.read(streamId));
  const ticket = createHlsTicket({
    async grant() {
      const granted = await grant();
      room.link.socket.peek()?.renewIceServers(granted.room.iceServers);
      return granted;
    },
    clock,
  });
  const toast = (text: string): void => toasts.show(text, 'bad');
  const { feed } = room;
  const tipShow = createTipShow(clock);
  const raid = createRaidNotice({ feed, self, clock, go: deps.goToStream });

  feed.onEvent((event, origin) => {
    if (event.type !== 'tip.received' || origin !== 'live') return;
    const { username, amountTokens, message } = event.data;
    tipShow.add({ id: event.id, username, amountTokens, message });
  });

  const seat = createStageSeat({
    room,
    self,
    grant: (unreachable) => api.streams.ticket(streamId, { intent: 'publish', unreachable }),
    clock,
    toasts,
    ...deps.stage,
  });

  const gate = createWatchGate({
    streamId,
    api,
    refusal: room.link.refusal,
    country: deps.country,
    clock,
    newKey,
    onOpened() {
      room.link.retry();
      refresh();
    },
  });

  async function refresh(): Promise<void> {
    await stream.load();
    const fresh = stream.value.peek();
    if (fresh) room.seed(fresh);
  }
  refresh();
  const stopRefreshing = repeat(clock, streamRefreshMs, refresh);

  return {
    streamId,
    stream,
    room,
    gate,
    chat: createChat({ streamId, api, feed, newKey, toast }),
    tipBar: createTipBar({
      ...{ streamId, api, wallet, feed, self, clock, newKey, toast },
      usuallyAnonymous: deps.usuallyAnonymous,
      onTipped: () => player.peek()?.promote(),
    }),
    tipShow,
    raid,
    seat,
    player,
    viewing: deps.viewing,
    ended: computed(() => room.streamState.value === 'ended'),
    refresh,
    /** Tries again after the room or the picture was refused. */
    retry(): void {
      room.link.retry();
      ticket.renewNow();
    },
    /** True while a live picture is wanted of the room, and not its events alone. */
    wantsLive: (): boolean => player.peek()?.wantsLive ?? deps.choice !== 'hls',
    /** The video element is in the page: play. Returns how to stop. */
    mount(surface: Surface): () => void {
      const mounted = Player.create({
        ...(deps.choice ? { choice: deps.choice } : {}),
        room,
        surface,
        viewing: deps.viewing,
        ticket,
        clock,
        openReceiver: deps.openReceiver,
        openHls: (url) => deps.openHls(surface.video, url, ticket),
      });
      player.value = mounted;
      const stopFloating = surface.inPicture.subscribe((floats) => {
        deps.viewing.floats.value = floats;
      });
      return () => {
        stopFloating();
        mounted.close();
        player.value = null;
      };
    },
    close(): void {
      stopRefreshing();
      player.peek()?.close();
      deps.viewing.close();
      ticket.rest();
      tipShow.close();
      raid.close();
      seat.close();
      room.close();
    },
  };
}
export type Watch = ReturnType<typeof createWatch>;
