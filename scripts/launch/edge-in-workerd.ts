// The process of the edge in workerd: holds Miniflare, and takes workerd along when it ends.
import { z } from 'zod';
import { endOnSignal } from '../local/ending.ts';
import { startEdgeWorker } from './worker.ts';

const env = z
  .object({
    EDGE_PORT: z.coerce.number().int(),
    EDGE_BINDINGS: z
      .string()
      .transform((text) => JSON.parse(text))
      .pipe(z.record(z.string(), z.string())),
  })
  .parse(process.env);

const starting = startEdgeWorker({ port: env.EDGE_PORT, bindings: env.EDGE_BINDINGS });
endOnSignal(async () => (await starting).stop());
const { url } = await starting;
console.log(JSON.stringify({ level: 'info', time: Date.now(), msg: 'edge listens', url }));
