// Waiters: requests that are held back until the playlist has what they ask for.

/** How many requests one rendition holds back at once; further ones are refused. */
export const waitersMax = 20_000;

export type WaitResult = 'ready' | 'timeout' | 'full';

export interface Waiters {
  readonly size: number;
  /** Resolves once `isReady` says so at a `wake`, or when the time is up. */
  wait(isReady: () => boolean, timeoutMs: number, signal?: AbortSignal): Promise<WaitResult>;
  /** To be called whenever something new is there. */
  wake(): void;
}

interface Waiter {
  isReady(): boolean;
  settle(result: WaitResult): void;
}

/** A waiter whose client has gone (`signal`) settles as a timeout. */
export function createWaiters(): Waiters {
  const waiting = new Set<Waiter>();
  return {
    get size() {
      return waiting.size;
    },
    wait(isReady, timeoutMs, signal) {
      if (isReady()) return Promise.resolve('ready');
      if (waiting.size >= waitersMax) return Promise.resolve('full');
      if (signal?.aborted) return Promise.resolve('timeout');
      return new Promise((resolve) => {
        const waiter: Waiter = {
          isReady,
          settle(result) {
            clearTimeout(timer);
            signal?.removeEventListener('abort', onAbort);
            waiting.delete(waiter);
            resolve(result);
          },
        };
        const onAbort = () => waiter.settle('timeout');
        const timer = setTimeout(() => waiter.settle('timeout'), timeoutMs);
        signal?.addEventListener('abort', onAbort);
        waiting.add(waiter);
      });
    },
    wake() {
      for (const waiter of waiting) if (waiter.isReady()) waiter.settle('ready');
    },
  };
}
