// The transcoder process: reads the environment, starts the service, ends when it is told to.
import { pino } from 'pino';
import { readConfig } from './config.ts';
import { startTranscoder } from './service.ts';

/** Whatever still runs by then is cut off. */
const shutdownMsMax = 5_000;

const config = readConfig(process.env);
const log = pino({
  level: config.logLevel,
  base: { service: 'transcoder', node: config.transcoderId },
  // A failed command of Redis carries its arguments, and those of a log-in are its password.
  redact: ['err.command.args'],
});
const service = await startTranscoder(config, log);

let ending = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // Who asks twice does not want to wait.
    if (ending) process.exit(1);
    ending = true;
    log.info({ signal }, 'transcoder ends');
    setTimeout(() => process.exit(1), shutdownMsMax).unref();
    service.close().then(
      () => process.exit(0),
      (error) => {
        log.error({ err: error }, 'shutdown failed');
        process.exit(1);
      },
    );
  });
}
