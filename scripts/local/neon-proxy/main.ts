// Starts the local stand-in for Neon as a process.
import { pino } from 'pino';
import { endOnSignal } from '../ending.ts';
import { startOrRefuse } from '../environment.ts';
import { readConfig } from './config.ts';
import { startNeonProxy } from './server.ts';

await startOrRefuse(async () => {
  const config = readConfig(process.env);
  const log = pino({ name: 'neon-proxy', level: config.logLevel });
  const proxy = await startNeonProxy({ databaseUrl: config.databaseUrl, port: config.port, log });
  endOnSignal(() => proxy.close());
  log.info({ port: proxy.port }, 'listening');
});
