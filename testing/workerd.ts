// The edge in workerd for tests: the bundle and the configuration that are deployed, on local stand-ins.
import { pino } from 'pino';
import { startEdgeWorker } from '../scripts/launch/worker.ts';
import { startNeonProxy } from '../scripts/local/neon-proxy/server.ts';
import type { TestEdge } from './edge.ts';

export async function startWorkerd(
  edge: TestEdge,
): Promise<{ url: string; cron(): Promise<void>; stop(): Promise<void> }> {
  const neon = await startNeonProxy({
    databaseUrl: edge.database.url,
    port: 0,
    log: pino({ level: 'silent' }),
  });
  const worker = await startEdgeWorker({
    port: 0,
    bindings: {
      ...edge.env,
      LOG_LEVEL: 'warn',
      NEON_FETCH_ENDPOINT: `http://127.0.0.1:${neon.port}/sql`,
    },
  });
  return {
    url: worker.url,
    cron: worker.cron,
    async stop() {
      await worker.stop();
      await neon.close();
    },
  };
}
