// The edge on Deno.
import { endOnSignal } from './ending.ts';
import { createServerParts, listenPort } from './server.ts';

/** The little of Deno's own interface that is used here. */
declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen: () => void },
    handler: (request: Request, info: { remoteAddr: { hostname?: string } }) => Promise<Response>,
  ): { shutdown(): Promise<void> };
};

const parts = await createServerParts(process.env, 'edge');
const port = listenPort(process.env);
const server = Deno.serve(
  {
    port,
    hostname: process.env.EDGE_HOST ?? '127.0.0.1',
    onListen: () => parts.deps.log.info('edge listens', { runtime: 'deno', port }),
  },
  (request, info) => parts.fetch(request, info.remoteAddr.hostname ?? ''),
);
endOnSignal(async () => {
  await server.shutdown();
  await parts.close();
});
