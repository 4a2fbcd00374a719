// A slow line: UDP packets go through it either way after a fixed delay, and no more than so many at once.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** What a line holds: one second of a fast one. What comes on top is lost. */
const packetsMax = 4_000;
/** Senders that are told apart. */
const sendersMax = 64;

export interface SlowRelay {
  /** Packets that it had no room for. */
  readonly dropped: number;
  close(): void;
}

/** Listens there, and sends on to a port of the target. */
export async function openSlowRelay(
  at: { address: string; port: number },
  to: { address: string; port: number },
  delayMs: number,
): Promise<SlowRelay> {
  const far = new Map<string, Socket>();
  const near = createSocket('udp4');
  let under = 0;
  let dropped = 0;
  let closed = false;

  function later(send: () => void): void {
    if (under >= packetsMax) {
      dropped += 1;
      return;
    }
    under += 1;
    setTimeout(() => {
      under -= 1;
      if (!closed) send();
    }, delayMs);
  }

  function farOf(address: string, port: number): Socket | null {
    const key = `${address}:${port}`;
    const known = far.get(key);
    if (known) return known;
    if (far.size >= sendersMax) return null;
    const socket = createSocket('udp4');
    socket.on('error', () => undefined);
    socket.on('message', (packet) => later(() => near.send(packet, port, address)));
    far.set(key, socket);
    return socket;
  }

  near.on('error', () => undefined);
  near.on('message', (packet, { address, port }) => {
    const socket = farOf(address, port);
    if (socket) later(() => socket.send(packet, to.port, to.address));
    else dropped += 1;
  });
  near.bind(at.port, at.address);
  await once(near, 'listening');
  return {
    get dropped() {
      return dropped;
    },
    close() {
      closed = true;
      near.close();
      for (const socket of far.values()) socket.close();
    },
  };
}
