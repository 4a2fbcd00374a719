// UDP port: one bound socket that receives the RTP of one track.
import { createSocket, type Socket } from 'node:dgram';

/** Enough for a keyframe burst while the process is busy; the kernel may grant less. */
export const receiveBufferBytes = 4 * 1024 * 1024;

export interface UdpPort {
  readonly port: number;
  close(): void;
}

export type DatagramHandler = (datagram: Buffer, from: { address: string; port: number }) => void;

/** Binds a free port of `address`, or of all addresses. */
export async function bindUdpPort(onDatagram: DatagramHandler, address?: string): Promise<UdpPort> {
  const socket: Socket = createSocket({
    type: address?.includes(':') ? 'udp6' : 'udp4',
    recvBufferSize: receiveBufferBytes,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port: 0, ...(address ? { address } : {}) }, resolve);
  });
  socket.removeAllListeners('error');
  // ICMP errors of other packets surface here; a receiver has nothing to do about them.
  socket.on('error', () => {});
  socket.on('message', onDatagram);
  let closed = false;
  return {
    port: socket.address().port,
    close() {
      if (closed) return;
      closed = true;
      socket.close();
    },
  };
}
