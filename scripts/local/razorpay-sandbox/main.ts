// Starts the payment sandbox as a process.
import { pino } from 'pino';
import { startOrRefuse } from '../environment.ts';
import { endWithParent } from '../lifeline.ts';
import { readConfig } from './config.ts';
import { startSandbox } from './server.ts';

await startOrRefuse(async () => {
  const config = readConfig(process.env);
  const log = pino({ name: 'razorpay-sandbox', level: config.logLevel });
  const sandbox = await startSandbox({ ...config, log });
  endWithParent(() => sandbox.close());
  log.info({ port: sandbox.port }, 'listening');
});
