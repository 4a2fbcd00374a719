// The socket server: which connections become room sockets, how many, and whether they still live.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { closeCodeOf, frameBytesMax, type Network, type SocketErrorCode } from '#contract';
import { remoteAddress } from './addresses.ts';
import { createDoorstep } from './doorstep.ts';
import type { RefusalCounter } from './refusals.ts';

/** Sockets of one node, joined or not. */
export const socketsMax = 20_000;
/** A socket that has not answered a ping by the next one is cut. */
const heartbeatIntervalMs = 15_000;
const messageTooBig = 1009;

const roomPath = '/room';

/**
 * A socket that says in our words why it closes: the library refuses an oversized frame by its
 * header, before it is read, with a code that clients could not tell from others.
 */
class RoomSocket extends WebSocket {
  onFrameTooLarge: () => void = () => undefined;

  override close(code?: number, reason?: string | Buffer): void {
    if (code !== messageTooBig) {
      super.close(code, reason);
      return;
    }
    this.onFrameTooLarge();
    super.close(closeCodeOf('frame-too-large'), `a frame has at most ${frameBytesMax} bytes`);
  }
}

/** Where a socket comes from, and what it still needs to say. */
export interface Arrival {
  address: string;
  /** To be called when the ticket was taken: the place on the doorstep is free again. */
  joined(): void;
}

export interface SocketServer {
  readonly sockets: number;
  /** Takes an upgrade request over: it becomes a socket or is answered with an HTTP error. */
  upgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void;
  /** Closes every socket and takes no new ones. */
  close(code: SocketErrorCode, detail: string): void;
}

export function createSocketServer({
  origins,
  forwarding,
  refusals,
  log,
  onSocket,
}: {
  /** Pages that may connect. Programs that are no browsers send no Origin and are let in. */
  origins: readonly string[];
  /** Who is believed to name the sender's address, and where. */
  forwarding: { header: string | undefined; proxies: readonly Network[] };
  refusals: RefusalCounter;
  log: Logger;
  onSocket(socket: WebSocket, arrival: Arrival): void;
}): SocketServer {
  const server = new WebSocketServer<typeof RoomSocket>({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: frameBytesMax,
    WebSocket: RoomSocket,
  });
  const doorstep = createDoorstep();
  const alive = new Map<RoomSocket, { answered: boolean }>();
  let closed = false;

  const heartbeat = setInterval(() => {
    for (const [socket, state] of alive) {
      if (!state.answered) {
        socket.terminate();
        continue;
      }
      state.answered = false;
      socket.ping();
    }
  }, heartbeatIntervalMs);

  function take(socket: RoomSocket, arrival: Arrival): void {
    const state = { answered: true };
    alive.set(socket, state);
    socket.onFrameTooLarge = () => refusals.count('frame-too-large');
    socket.on('pong', () => {
      state.answered = true;
    });
    socket.once('close', () => alive.delete(socket));
    onSocket(socket, arrival);
  }

  return {
    get sockets() {
      return alive.size;
    },
    upgrade(request, connection, head) {
      // A connection may break while the handshake is under way.
      connection.on('error', (error) => log.debug({ err: error }, 'upgrade failed'));
      const { origin } = request.headers;
      if (pathOf(request) !== roomPath) return refuse(connection, '404 Not Found');
      if (origin !== undefined && !origins.includes(origin)) {
        refusals.count('forbidden');
        return refuse(connection, '403 Forbidden');
      }
      if (closed || alive.size >= socketsMax) {
        refusals.count('unavailable');
        return refuse(connection, '503 Service Unavailable');
      }
      const address = remoteAddress(request, forwarding);
      const leave = doorstep.enter(address);
      if (!leave) {
        refusals.count('rate-limited');
        return refuse(connection, '429 Too Many Requests');
      }
      connection.once('close', leave);
      server.handleUpgrade(request, connection, head, (socket) =>
        take(socket, { address, joined: leave }),
      );
    },
    close(code, detail) {
      closed = true;
      clearInterval(heartbeat);
      for (const socket of alive.keys()) socket.close(closeCodeOf(code), detail);
      server.close();
    },
  };
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function refuse(connection: Duplex, status: string): void {
  // The other side may never close its half, and the HTTP server's own limits end with the upgrade.
  connection.once('finish', () => connection.destroy());
  connection.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
