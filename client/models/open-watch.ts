// Opens the watch page's model with its real parts; loaded with the page, its media parts when needed.
import { computed } from '@preact/signals';
import { RoomSocket } from '../media/room-socket.ts';
import type { App } from './app.ts';
import { createPeopleApi } from './people-api.ts';
import type { Choice } from './player.ts';
import { createStageApi } from './stage-api.ts';
import { createViewing } from './viewing.ts';
import { createWatch, type Watch } from './watch.ts';

const loadReceiver = () => import('../media/receiver.ts');
const loadHls = () => import('../media/hls-playback.ts');

/** How long after the start the other way of playing is fetched, in case it will be needed. */
export const preloadAfterMs = 5_000;

export function openWatch(app: App, streamId: string, choice: Choice, country: string): Watch {
  const { clock } = app;
  const user = app.session.user.peek();
  // The first picture waits for this code, so it is made ready beside the ticket and not after it.
  const warming = choice === 'hls' ? loadHls() : loadReceiver().then(({ warmUp }) => warmUp());
  warming.catch(() => {
    // Tried again, and reported, when the player opens it.
  });
  const cancelPreload = clock.after(preloadAfterMs, () => {
    loadHls().catch(() => {
      // The same.
    });
  });
  const viewing = createViewing({ quality: app.pictureQuality.chosen, sight: app.sight, clock });
  const watch: Watch = createWatch({
    streamId,
    choice,
    api: app.api,
    country,
    wallet: app.wallet,
    viewing,
    self: user,
    usuallyAnonymous: computed(() => app.preferred.known.value.tipAnonymously),
    clock,
    toasts: app.toasts,
    newKey: app.newKey,
    goToStream: (to) => app.router.go(`/watch/${to}`),
    takeGrant: app.headStart.takeGrant,
    join: (room) =>
      RoomSocket.join(room, {
        openWebSocket: app.headStart.socketTo,
        clock,
        transportAhead: watch.wantsLive() ? 'receive' : null,
      }),
    stage: {
      api: createStageApi(app.api.request),
      join: (room) =>
        RoomSocket.join(room, {
          openWebSocket: app.openWebSocket,
          clock,
          transportAhead: 'send',
        }),
      openDesk: async () => (await import('./open-desk.ts')).openDesk(clock),
      openPublisher: async (...asked) =>
        (await import('./open-desk.ts')).openPublisher(clock, ...asked),
    },
    async openReceiver(socket) {
      const wantedAtMs = clock.now();
      return (await loadReceiver()).Receiver.create({ socket, clock, viewing, wantedAtMs });
    },
    openHls: async (video, url, ticket) =>
      (await loadHls()).HlsPlayback.create({ video, url, ticket, clock, viewing }),
  });
  app.preferred.refresh(createPeopleApi(app.api.request));
  const stopNudging = app.onWake(() => watch.room.link.nudge());
  return {
    ...watch,
    close(): void {
      cancelPreload();
      stopNudging();
      watch.close();
    },
  };
}
