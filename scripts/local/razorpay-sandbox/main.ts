// Starts the payment sandbox as a process.
import { pino } from 'pino';
import { endOnSignal } from '../ending.ts';
import { startOrRefuse } from '../environment.ts';
import { readConfig } from './config.ts';
import { startSandbox } from './server.ts';

await startOrRefuse(async () => {
  const config = readConfig(process.env);
  const log = pino({ name: 'razorpay-sandbox', level: config.logLevel });
  const sandbox = await startSandbox({ ...config, log });
  endOnSignal(() => sandbox.close());
  log.info({ port: sandbox.port }, 'listening');
});
