// Restarts: how soon a process that died may be started again.

export const restartDelayMsMin = 50;
export const restartDelayMsMax = 2_000;
/** A process that lived so long was well: the next restart is quick again. */
const healthyMs = 10_000;

export interface Restarts {
  /** Starts the next life after the right pause; does nothing while one is planned. */
  plan(start: () => void): void;
  cancel(): void;
}

/** Doubles the pause with each early death. */
export function createRestarts(now: () => number = Date.now): Restarts {
  let delayMs = restartDelayMsMin;
  let lastStartMs = now();
  let timer: NodeJS.Timeout | null = null;
  return {
    plan(start) {
      if (timer) return;
      delayMs =
        now() - lastStartMs > healthyMs
          ? restartDelayMsMin
          : Math.min(delayMs * 2, restartDelayMsMax);
      timer = setTimeout(() => {
        timer = null;
        lastStartMs = now();
        start();
      }, delayMs);
    },
    cancel() {
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}
