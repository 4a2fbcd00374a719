// Opens the studio's model with its real parts; loaded with the page.
import { signal } from '@preact/signals';
import { capture } from '../media/capture.ts';
import { ladders } from '../media/ladders.ts';
import { RoomSocket } from '../media/room-socket.ts';
import { createMeter, mixSounds } from '../media/sound-desk.ts';
import type { App } from './app.ts';
import { createStageApi } from './stage-api.ts';
import { createStudio, type Studio } from './studio.ts';
import { createViewing } from './viewing.ts';

export function openStudio(app: App): Studio {
  const { clock } = app;
  // Guests are seen small there, whatever the performer has chosen for streams that they watch.
  const viewing = createViewing({ quality: signal('auto'), sight: app.sight, clock });
  const studio = createStudio({
    api: app.api,
    async fetchEarnings() {
      // Behind the page: its first picture does not wait for what reads answers about money.
      const { createMoneyApi } = await import('./money-api.ts');
      return createMoneyApi(app.api.request).earnings();
    },
    clock,
    toasts: app.toasts,
    newKey: app.newKey,
    desk: { capture, sizes: ladders, createMeter, mixSounds, clock },
    join: (room) =>
      RoomSocket.join(room, {
        openWebSocket: app.openWebSocket,
        clock,
        transportAhead: 'send',
      }),
    stage: {
      api: createStageApi(app.api.request),
      openReceiver: async (socket) =>
        (await import('../media/receiver.ts')).Receiver.create({ socket, clock, viewing }),
      viewing,
    },
    openPublisher: async (socket, tracks, quality) => {
      const { Publisher } = await import('../media/publisher.ts');
      return Publisher.create(socket, tracks, quality, clock);
    },
  });
  const stopNudging = app.onWake(() => studio.broadcast.room.peek()?.link.nudge());
  return {
    ...studio,
    close(): void {
      stopNudging();
      studio.close();
      viewing.close();
    },
  };
}
