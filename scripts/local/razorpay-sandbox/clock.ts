// The sandbox's clock: real time, moved by as much as a test asks.

export interface Clock {
  now(): Date;
  /** Unix time, as every entity carries it. */
  nowSeconds(): number;
  readonly offsetSeconds: number;
  /** Sets how far the clock is from real time; what became due by it happens at once. */
  move(offsetSeconds: number): void;
}

/** `moved` hears of every move. */
export function createClock(options: {
  now: () => Date;
  offsetSeconds: number;
  moved: () => void;
}): Clock {
  let offsetSeconds = options.offsetSeconds;
  const nowMs = () => options.now().getTime() + offsetSeconds * 1000;
  return {
    now: () => new Date(nowMs()),
    nowSeconds: () => Math.floor(nowMs() / 1000),
    get offsetSeconds() {
      return offsetSeconds;
    },
    move(to) {
      offsetSeconds = to;
      options.moved();
    },
  };
}
