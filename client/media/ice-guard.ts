// The ICE guard: watches a transport, restarts its ICE once when the path breaks, and says when it is lost.
import { type Signal, signal } from '@preact/signals';
import type { Cancel, Clock } from '../models/clock.ts';
import { asLibrary, relaysOf, type types } from './device.ts';
import type { RoomSocket } from './room-socket.ts';

/** A path that only flickers mends itself within this. */
export const disconnectedGraceMs = 1_500;
/** A restarted path must be up by then. */
export const iceRestartLimitMs = 4_000;

export type PathState = 'new' | 'connected' | 'mending' | 'lost';

export type IceGuard = {
  state: Signal<PathState>;
  /** The other side has given the path up. */
  lose(): void;
  close(): void;
};

export function guardIce(transport: types.Transport, socket: RoomSocket, clock: Clock): IceGuard {
  const state = signal<PathState>('new');
  let cancel: Cancel = () => {};

  function lose(): void {
    cancel();
    if (state.peek() !== 'lost') state.value = 'lost';
  }

  async function restart(): Promise<void> {
    if (state.peek() === 'mending' || state.peek() === 'lost') return;
    state.value = 'mending';
    cancel();
    cancel = clock.after(iceRestartLimitMs, lose);
    try {
      const answer = await socket.request('transport.restart-ice', { transportId: transport.id });
      await transport.updateIceServers({ iceServers: relaysOf(socket) }).catch(() => {
        // Firefox keeps those that it began with.
      });
      await transport.restartIce({
        iceParameters: asLibrary<types.IceParameters>(answer.iceParameters),
      });
    } catch {
      // The room does not know this transport any more, or the socket is gone: only a rejoin helps.
      lose();
    }
  }

  transport.on('connectionstatechange', (connection) => {
    if (connection === 'connected') {
      cancel();
      state.value = 'connected';
    } else if (connection === 'disconnected') {
      cancel();
      cancel = clock.after(disconnectedGraceMs, restart);
    } else if (connection === 'failed') {
      restart();
    } else if (connection === 'closed') {
      lose();
    }
  });

  return {
    state,
    lose,
    close() {
      cancel();
    },
  };
}
