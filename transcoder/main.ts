// The transcoder process: reads the environment, starts the service, ends when it is told to.
import { pino } from 'pino';
import { readConfig } from './config.ts';
import { watchLifeline } from './lifeline.ts';
import { startTranscoder } from './service.ts';

/** Whatever still runs by then is cut off. */
const shutdownMsMax = 5_000;

const config = readConfig(process.env);
const log = pino({
  level: config.logLevel,
  base: { service: 'transcoder', node: config.transcoderId },
});
const service = await startTranscoder(config, log);

watchLifeline(config.parentPipe, (why) => {
  log.info({ why }, 'transcoder ends');
  setTimeout(() => process.exit(1), shutdownMsMax).unref();
  service.close().then(
    () => process.exit(0),
    (error) => {
      log.error({ err: error }, 'shutdown failed');
      process.exit(1);
    },
  );
});
