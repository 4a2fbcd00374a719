// The RTMP server: a TCP port on which encoders publish.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { isWithin, type Network } from '#contract';
import type { Caller } from '../caller.ts';
import type { Doorstep } from '../doorstep.ts';
import { keyShownMsMax } from '../limits.ts';
import { readProxyHeader } from './proxy-header.ts';
import { RtmpCaller } from './rtmp-caller.ts';

export interface IngestServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface IngestServerOptions {
  address: string;
  port: number;
  doorstep: Doorstep;
  /** Somebody has shown a key. */
  onCaller(caller: Caller): void;
}

export interface RtmpServerOptions extends IngestServerOptions {
  /** TLS proxies in front: each of their connections begins with a PROXY header, which says whose it is. */
  proxies: readonly Network[];
}

export async function startRtmpServer(options: RtmpServerOptions): Promise<IngestServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // The close event follows.
    socket.on('error', () => undefined);
    const own = socket.remoteAddress ?? '';
    if (!isWithin(options.proxies, own)) {
      admit(socket, own, options);
      return;
    }
    readProxyHeader(socket, keyShownMsMax).then(
      (address) => admit(socket, address ?? own, options),
      () => socket.destroy(),
    );
  });
  server.listen(options.port, options.address);
  await once(server, 'listening');
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : options.port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function admit(socket: Socket, address: string, { doorstep, onCaller }: RtmpServerOptions): void {
  const place = doorstep.enter(address, () => socket.destroy());
  if (!place) {
    socket.destroy();
    return;
  }
  socket.once('close', place.leave);
  RtmpCaller.open(socket, address, (caller) => {
    if (place.showKey()) onCaller(caller);
    else caller.refuse();
  });
  socket.resume();
}
