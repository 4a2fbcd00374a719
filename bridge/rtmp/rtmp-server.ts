// The RTMP server: a TCP port on which encoders publish.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Caller } from '../caller.ts';
import type { Doorstep } from '../doorstep.ts';
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

export async function startRtmpServer(options: IngestServerOptions): Promise<IngestServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const address = socket.remoteAddress ?? '';
    const place = options.doorstep.enter(address, () => socket.destroy());
    if (!place) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      place.leave();
    });
    RtmpCaller.open(socket, address, (caller) => {
      if (place.showKey()) options.onCaller(caller);
      else caller.refuse();
    });
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
