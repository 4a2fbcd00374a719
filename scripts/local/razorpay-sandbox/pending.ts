// The count of what is still to happen by itself, and whoever waits for it to reach zero.

export interface Pending {
  readonly count: number;
  begin(): void;
  end(): void;
  /** Resolves when nothing is pending; false when that took longer than `timeoutMs`. */
  settled(timeoutMs: number): Promise<boolean>;
}

export function createPending(): Pending {
  const waiters = new Set<() => void>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    begin() {
      count += 1;
    },
    end() {
      count -= 1;
      if (count > 0) return;
      for (const resolve of waiters) resolve();
      waiters.clear();
    },
    settled(timeoutMs) {
      if (count === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          resolve(true);
        };
        const timer = setTimeout(() => {
          waiters.delete(done);
          resolve(false);
        }, timeoutMs);
        waiters.add(done);
      });
    },
  };
}
