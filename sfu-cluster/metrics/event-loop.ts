// The event loop's delay: how late this process gets to what it has to do, over the last few seconds.
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Two may read the figures at their own pace: neither takes them away from the other. */
const windowMs = 10_000;
const resolutionMs = 10;
const nanosecondsPerMs = 1e6;

interface Delay {
  p50: number;
  p99: number;
  max: number;
}

export interface EventLoopWatch {
  /** In milliseconds, over the last full window; over the first one while that goes on. */
  readonly delayMs: Delay;
  close(): void;
}

export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  let last: Delay | null = null;

  // The histogram has the timer's own pace in it, and NaN or its lowest bound before it has anything.
  const inMs = (nanoseconds: number) =>
    Math.max(0, (Number.isFinite(nanoseconds) ? nanoseconds : 0) / nanosecondsPerMs - resolutionMs);
  const read = (): Delay => ({
    p50: inMs(histogram.percentile(50)),
    p99: inMs(histogram.percentile(99)),
    max: inMs(histogram.max),
  });
  const timer = setInterval(() => {
    last = read();
    histogram.reset();
  }, windowMs);
  timer.unref();
  return {
    get delayMs() {
      return last ?? read();
    },
    close() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
