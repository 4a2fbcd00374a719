// The end of a process: it closes what it holds when it is told to, and is gone soon after whatever happens.

/** A close that has not finished by then is cut off. */
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
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}
