// The process of a bridge: reads its settings, runs until it is told to end.
import { pino } from 'pino';
import { type BridgeConfig, readConfig } from './config.ts';
import { startBridge } from './service.ts';

/** An end that takes longer is cut short. */
const shutDownTimeoutMs = 5_000;

const config = configOrExit();
const log = pino({
  level: config.logLevel,
  base: { service: 'bridge', bridgeId: config.bridgeId },
  timestamp: pino.stdTimeFunctions.isoTime,
});

function configOrExit(): BridgeConfig {
  try {
    return readConfig(process.env);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

try {
  const bridge = await startBridge(config, log);
  const { rtmpPort, srtPort } = bridge;
  log.info({ rtmpPort, srtPort, health: bridge.url }, 'the bridge takes encoders');
  let ending = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait.
      if (ending) process.exit(1);
      ending = true;
      log.info({ signal }, 'the bridge shuts down');
      setTimeout(() => process.exit(1), shutDownTimeoutMs).unref();
      bridge.close().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'the shut-down failed');
          process.exit(1);
        },
      );
    });
  }
} catch (error) {
  log.fatal({ err: error }, 'the bridge did not start');
  process.exit(1);
}
