// The edge on Node.
import { serve } from '@hono/node-server';
import { endOnSignal } from './ending.ts';
import { createServerParts, listenPort } from './server.ts';

const parts = await createServerParts(process.env, 'edge');
const server = serve(
  {
    port: listenPort(process.env),
    hostname: process.env.EDGE_HOST ?? '127.0.0.1',
    fetch: (request, env) => {
      const { incoming } = env as { incoming: { socket: { remoteAddress?: string } } };
      return parts.fetch(request, incoming.socket.remoteAddress ?? '');
    },
  },
  ({ port }) => parts.deps.log.info('edge listens', { runtime: 'node', port }),
);
endOnSignal(async () => {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    // Idle keep-alive connections would hold the server open.
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  });
  await parts.close();
});
