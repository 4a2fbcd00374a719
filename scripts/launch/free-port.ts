// A free port from below those that the system gives away, so that nothing else takes it before it is used.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** The system gives connections, and whoever asks for any port, the ones from 32768 on (ip_local_port_range). */
const lowest = 10_240;
const highest = 32_767;
const triesMax = 50;

/** A port of 127.0.0.1, not one of `taken`, that nobody has, neither for TCP nor for UDP. */
export async function freePort(taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (!taken.has(port) && (await isFreeForTcp(port)) && (await isFreeForUdp(port))) return port;
  }
  throw new Error(`no free port from ${lowest} to ${highest}`);
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
