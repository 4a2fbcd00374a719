// Test of answers whose address ends while they are read: nobody gets more of it by reading slowly.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createGeneration } from '../hls/generation.ts';
import { createOriginServer } from './server.ts';

/** More than the buffers of a connection take. */
const bodyBytes = 64 * 1024 * 1024;

test('who is still reading when an address ends is cut off, and others are not', async () => {
  const [ending, lasting] = [createGeneration(), createGeneration()];
  const server = createOriginServer({
    routes: async ({ path }) => ({
      contentType: 'video/mp4',
      cacheControl: 'no-store',
      gzip: false,
      body: [Buffer.alloc(bodyBytes)],
      generation: path === 'ending' ? ending : lasting,
    }),
    clientOrigins: [],
    ready: async () => ({ ok: true, service: 'transcoder', checks: {} }),
    log: pino({ level: 'silent' }),
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  /** Begins to read, and stops for a while. */
  async function readSlowly(path: string): Promise<() => Promise<number>> {
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /live/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    socket.on('error', () => {});
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    await once(socket, 'data');
    socket.pause();
    return async () => {
      const closed = once(socket, 'close');
      socket.resume();
      await closed;
      return bytes;
    };
  }

  const [cut, whole] = [await readSlowly('ending'), await readSlowly('lasting')];
  const over = new Promise<void>((resolve) => ending.onOver(resolve));
  ending.end(0);
  await over;
  expect(await cut()).toBeLessThan(bodyBytes);
  expect(await whole()).toBeGreaterThan(bodyBytes);
});
