// Outages: one log line when something that we lean on goes away, one when it is back.
import type { Logger } from 'pino';

interface Outage {
  failed(error: unknown): void;
  recovered(): void;
}

/** `what` names the thing in the log, as in "redis subscriber". */
export function createOutage(log: Logger, what: string): Outage {
  let failures = 0;
  return {
    failed(error) {
      failures += 1;
      if (failures === 1) log.warn({ err: error }, `${what} is away`);
    },
    recovered() {
      if (failures > 0) log.info({ failures }, `${what} is back`);
      failures = 0;
    },
  };
}
