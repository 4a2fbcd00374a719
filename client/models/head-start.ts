// A head start: what the first picture needs and can begin before the watch page's own code is there.

import type { TicketGrant } from '#contract';
import type { Cancel, Clock } from './clock.ts';

/** What nobody has taken up by then is thrown away: a ticket does not live long. */
export const headStartLifeMs = 10_000;

export type HeadStartDeps = {
  grant: (streamId: string) => Promise<TicketGrant>;
  openWebSocket: (url: string) => WebSocket;
  clock: Clock;
};

type Ahead = {
  readonly streamId: string;
  readonly grant: Promise<TicketGrant>;
  isGrantTaken: boolean;
  socket: WebSocket | null;
};

export function createHeadStart({ grant, openWebSocket, clock }: HeadStartDeps) {
  let ahead: Ahead | null = null;
  let cancelExpiry: Cancel = () => {};

  function drop(): void {
    cancelExpiry();
    ahead?.socket?.close();
    ahead = null;
  }

  return {
    /** Asks for a ticket and opens the room's socket as soon as its address is known. */
    begin(streamId: string): void {
      drop();
      const ours: Ahead = {
        streamId,
        grant: grant(streamId),
        isGrantTaken: false,
        socket: null,
      };
      ahead = ours;
      ours.grant.then(
        ({ room }) => {
          if (ahead === ours) ours.socket = openWebSocket(room.url);
        },
        () => {
          // Whoever takes the grant hears of it.
        },
      );
      cancelExpiry = clock.after(headStartLifeMs, drop);
    },
    /** The ticket that was asked for ahead, once; null when there is none for this stream. */
    takeGrant(streamId: string): Promise<TicketGrant> | null {
      if (ahead?.streamId !== streamId || ahead.isGrantTaken) return null;
      ahead.isGrantTaken = true;
      return ahead.grant;
    },
    /** The socket that was opened ahead, once; a new one when there is none to this address. */
    socketTo(url: string): WebSocket {
      const socket = ahead?.socket;
      const isFit = socket && socket.url === new URL(url).href && socket.readyState <= 1;
      if (!isFit) return openWebSocket(url);
      cancelExpiry();
      ahead = null;
      return socket;
    },
  };
}
export type HeadStart = ReturnType<typeof createHeadStart>;
