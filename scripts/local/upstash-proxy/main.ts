// Starts the local stand-in for Upstash as a process.
import { pino } from 'pino';
import { endOnSignal } from '../ending.ts';
import { startOrRefuse } from '../environment.ts';
import { readConfig } from './config.ts';
import { startUpstashProxy } from './server.ts';

await startOrRefuse(async () => {
  const config = readConfig(process.env);
  const log = pino({ name: 'upstash-proxy', level: config.logLevel });
  const proxy = await startUpstashProxy({ ...config, log });
  endOnSignal(() => proxy.close());
  log.info({ port: proxy.port }, 'listening');
});
