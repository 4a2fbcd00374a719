// The edge on Bun.
import { endOnSignal } from './ending.ts';
import { createServerParts, listenPort } from './server.ts';

const parts = await createServerParts(process.env, 'edge');
const server = Bun.serve({
  port: listenPort(process.env),
  hostname: process.env.EDGE_HOST ?? '127.0.0.1',
  fetch: (request, self) => parts.fetch(request, self.requestIP(request)?.address ?? ''),
});
parts.deps.log.info('edge listens', { runtime: 'bun', port: server.port });
endOnSignal(async () => {
  await server.stop();
  await parts.close();
});
