// The stage desk: whom the performer has on the stage, and what becomes of them.
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { MediaHold, StageGuest } from '#contract';
import type { GuestMedia } from '../media/receiver.ts';
import { hasCode, messageOf } from './api-error.ts';
import type { Cancel, Clock } from './clock.ts';
import { LiveSide, type LiveSideDeps } from './live-side.ts';
import { createLoaded } from './load.ts';
import { withoutHeldPictures } from './player.ts';
import type { Room } from './room.ts';
import type { StageApi } from './stage-api.ts';
import type { Viewing } from './viewing.ts';

export type StageDeskDeps = {
  room: Pick<Room, 'streamId' | 'guests' | 'stageNews'> & { link: LiveSideDeps['link'] };
  api: StageApi;
  openReceiver: LiveSideDeps['openReceiver'];
  viewing: Pick<Viewing, 'place'>;
  clock: Clock;
  /** The performer looks at what goes out as well: it does not come from here. */
  seesHost?: boolean;
};

export type StageDesk = ReturnType<typeof createStageDesk>;

export function createStageDesk(deps: StageDeskDeps) {
  const { room, api, openReceiver, viewing, clock, seesHost = false } = deps;
  const { streamId } = room;
  const list = createLoaded(() => api.list(streamId));
  const username = signal('');
  const busy = signal(false);
  const fault = signal<string | null>(null);
  const host = signal<MediaStream | null>(null);
  /** Asking again would cost the socket on which the performer publishes. */
  let isImpossible = false;
  // The performer sees and hears their guests; without guests there is nothing to receive.
  const live = LiveSide.create({
    link: room.link,
    openReceiver,
    onReceiver: ({ stream }) => {
      host.value = stream;
    },
    onImpossible: () => {
      isImpossible = true;
      if (!seesHost) fault.value = 'This browser cannot show you your guests.';
    },
    clock,
  });
  const cancels: Cancel[] = [
    room.stageNews.subscribe(() => void list.load()),
    room.guests.subscribe((guests) => {
      const isWanted = seesHost || guests.length > 0;
      if (isWanted && !live.seeking && !isImpossible) live.seek();
    }),
  ];

  /** One act at a time, each on what the one before has made of the list. */
  async function act(work: () => Promise<unknown>, told = messageOf): Promise<boolean> {
    if (busy.peek()) return false;
    busy.value = true;
    fault.value = null;
    try {
      await work();
      return true;
    } catch (error) {
      fault.value = told(error);
      return false;
    } finally {
      await list.load();
      busy.value = false;
    }
  }

  return {
    list,
    username,
    busy: busy as ReadonlySignal<boolean>,
    fault: fault as ReadonlySignal<string | null>,
    /** What goes out, where it does not come from here. */
    host: host as ReadonlySignal<MediaStream | null>,
    viewing,
    /** Pictures and sounds of the guests who publish. */
    media: computed<readonly GuestMedia[]>(() =>
      withoutHeldPictures(live.guests.value, room.guests.value),
    ),
    async invite(): Promise<void> {
      const name = username.peek().trim().replace(/^@/, '');
      if (name === '') return;
      const told = (error: unknown) =>
        hasCode(error, 'not-found') ? 'Nobody has this name.' : messageOf(error);
      if (await act(() => api.invite(streamId, name), told)) username.value = '';
    },
    putOff: (guest: StageGuest) => act(() => api.putOff(streamId, guest.user.id)),
    hold: ({ user }: StageGuest, held: MediaHold) => act(() => api.hold(streamId, user.id, held)),
    close(): void {
      for (const cancel of cancels) cancel();
      live.close();
    },
  };
}
