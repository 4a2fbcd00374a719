// A forwarder: what listens on this machine's loopback address, reached at another address.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export interface Forwarder {
  close(): void;
}

export async function forward(
  from: { address: string; port: number },
  to: { address: string; port: number },
): Promise<Forwarder> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((near) => {
    const far = connect(to.port, to.address);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(from.port, from.address);
  await once(server, 'listening');
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
