// The ICE guard: watches a transport, restarts its ICE once when the path breaks, and says when it is lost.
import { type Signal, signal } from '@preact/signals';
import { type Cancel, type Clock, repeat } from '../models/clock.ts';
import { asLibrary, relaysOf, type types } from './device.ts';
import { createEar } from './ear.ts';
import type { RoomSocket } from './room-socket.ts';

/** A path that only flickers mends itself within this. */
export const disconnectedGraceMs = 1_500;
/** A restarted path must be up by then. */
export const iceRestartLimitMs = 4_000;
/** It is looked so often whether anything comes over a path that is up. */
export const lookEveryMs = 200;
/**
 * A path over which something came with so many looks, and then nothing for so long, is mended at once: browsers take
 * seven seconds and more to call it broken. Whoever sends hears ten times a second how it arrives, and a node takes a
 * picture that is away for 1.5 s for ended. Whoever receives may hear nothing for the fault of another one's line.
 */
export const busyLooksMin = 4;
export const silenceMsMax = { send: 600, recv: 1_000 } as const;
/** A node that is silent on the path, and then leaves a ping without an answer for so long, has gone without a word. */
export const goneAfterMs = 2_000;

export type PathState = 'new' | 'connected' | 'mending' | 'lost';

export type IceGuard = {
  state: Signal<PathState>;
  /** The other side has given the path up. */
  lose(): void;
  close(): void;
};

export function guardIce(transport: types.Transport, socket: RoomSocket, clock: Clock): IceGuard {
  const state = signal<PathState>('new');
  const hearsSomething = createEar(transport);
  let cancel: Cancel = () => {};
  let connection: types.ConnectionState = 'new';
  /** The newest restart has gone out: what comes from then on has come over the new path. */
  let isRestarted = false;
  let busyLooks = 0;
  let heardAtMs = clock.now();

  function lose(): void {
    cancel();
    if (state.peek() !== 'lost') state.value = 'lost';
  }

  function stand(): void {
    cancel();
    busyLooks = 0;
    heardAtMs = clock.now();
    if (state.peek() !== 'lost') state.value = 'connected';
  }

  /** What was only silent is not lost by that: the browser will say so if it is. */
  function giveUp(): void {
    if (connection === 'connected') stand();
    else lose();
  }

  async function restart(): Promise<void> {
    if (state.peek() === 'mending' || state.peek() === 'lost') return;
    state.value = 'mending';
    isRestarted = false;
    cancel();
    cancel = clock.after(iceRestartLimitMs, giveUp);
    socket.check(goneAfterMs);
    try {
      const answer = await socket.request('transport.restart-ice', { transportId: transport.id });
      await transport.updateIceServers({ iceServers: relaysOf(socket) }).catch(() => {
        // Firefox keeps those that it began with.
      });
      await transport.restartIce({
        iceParameters: asLibrary<types.IceParameters>(answer.iceParameters),
      });
      await hearsSomething();
      isRestarted = true;
    } catch {
      // The room does not know this transport any more, or the socket is gone: only a rejoin helps.
      if (state.peek() === 'mending') lose();
    }
  }

  async function look(): Promise<void> {
    const before = state.peek();
    if (before !== 'connected' && !(before === 'mending' && isRestarted)) return;
    const heard = await hearsSomething();
    if (state.peek() !== before) return;
    if (before === 'mending') {
      if (heard) stand();
    } else if (heard) {
      busyLooks += 1;
      heardAtMs = clock.now();
    } else if (clock.now() - heardAtMs >= silenceMsMax[transport.direction]) {
      const wasBusy = busyLooks >= busyLooksMin;
      busyLooks = 0;
      if (wasBusy) restart();
    }
  }

  const stopLooking = repeat(clock, lookEveryMs, look);

  transport.on('connectionstatechange', (now) => {
    connection = now;
    if (now === 'connected') {
      stand();
    } else if (now === 'disconnected') {
      if (state.peek() === 'mending') return;
      cancel();
      cancel = clock.after(disconnectedGraceMs, restart);
    } else if (now === 'failed') {
      restart();
    } else if (now === 'closed') {
      lose();
    }
  });

  return {
    state,
    lose,
    close() {
      cancel();
      stopLooking();
    },
  };
}
