// The process of one SFU node: reads its settings, runs until it is told to end.
import { setLogEventListeners } from 'mediasoup';
import { pino } from 'pino';
import { readConfig, type SfuConfig } from './config.ts';
import { createSfuNode } from './node.ts';

/** An end that takes longer is cut short. */
const shutDownTimeoutMs = 5_000;

const config = configOrExit();
const log = pino({
  level: config.logLevel,
  base: { service: 'sfu', nodeId: config.nodeId },
  timestamp: pino.stdTimeFunctions.isoTime,
  // A failed command of Redis carries its arguments, and those of a log-in are its password.
  redact: ['err.command.args'],
});
setLogEventListeners({
  onwarn: (namespace, message) => log.debug({ namespace }, message),
  onerror: (namespace, message, error) => log.warn({ namespace, err: error }, message),
});

function configOrExit(): SfuConfig {
  try {
    return readConfig(process.env);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

let node: Awaited<ReturnType<typeof createSfuNode>> | null = null;
let ending = false;

function end(signal: NodeJS.Signals): void {
  // Whoever asks twice does not want to wait.
  if (ending) process.exit(1);
  ending = true;
  log.info({ signal }, 'the node shuts down');
  shutDown().then(
    () => process.exit(0),
    (error: unknown) => {
      log.error({ err: error }, 'the shut-down failed');
      process.exit(1);
    },
  );
}

async function shutDown(): Promise<void> {
  if (config.drainSeconds > 0) await node?.drain();
  setTimeout(() => process.exit(1), shutDownTimeoutMs).unref();
  await node?.close();
}

process.on('SIGTERM', end);
process.on('SIGINT', end);

try {
  node = await createSfuNode({ config, log });
  log.info({ url: node.httpUrl, publicUrl: config.publicUrl }, 'the node takes sockets');
} catch (error) {
  log.fatal({ err: error }, 'the node did not start');
  process.exit(1);
}
