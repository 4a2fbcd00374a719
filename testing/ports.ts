// Ports for tests: from below those that the system gives away, so that nothing else takes one before it is used.
import { createServer } from 'node:net';

/** The system gives connections, and whoever asks for any port, the ones from 32768 on (ip_local_port_range). */
const lowest = 10_240;
const highest = 32_767;
const triesMax = 50;

/** A TCP port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${lowest} to ${highest}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
