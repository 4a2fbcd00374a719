// The end of a service: it closes what it holds when it is told to, and is gone soon after whatever happens.

const closeTimeoutMs = 5_000;

/** Calls `close` once, on SIGTERM or SIGINT, then ends the process. */
export function endOnSignal(close: () => Promise<void>): void {
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(1), closeTimeoutMs);
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}
