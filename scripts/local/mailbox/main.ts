// Starts the mailbox as a process.
import { pino } from 'pino';
import { endOnSignal } from '../ending.ts';
import { startOrRefuse } from '../environment.ts';
import { readConfig } from './config.ts';
import { startMailbox } from './server.ts';

await startOrRefuse(async () => {
  const config = readConfig(process.env);
  const log = pino({ name: 'mailbox', level: config.logLevel });
  const mailbox = await startMailbox({ ...config, log });
  endOnSignal(() => mailbox.close());
  log.info({ url: mailbox.url, smtp: mailbox.smtpUrl }, 'listening');
});
