// Generation: the addresses that were told between two renewals, which end together.

export interface Generation {
  /** Its end is set. */
  readonly ending: boolean;
  readonly over: boolean;
  /** How long its addresses are good for; infinite while no end is set. */
  readonly leftMs: number;
  /** Sets its end, once. */
  end(afterMs: number): void;
  /** Calls back when it is over, at once if it is; answers how to stop that. */
  onOver(listener: () => void): () => void;
}

export function createGeneration(): Generation {
  const listeners = new Set<() => void>();
  let endsAtMs = Number.POSITIVE_INFINITY;
  let over = false;

  return {
    get ending() {
      return endsAtMs < Number.POSITIVE_INFINITY;
    },
    get over() {
      return over;
    },
    get leftMs() {
      return Math.max(0, endsAtMs - performance.now());
    },
    end(afterMs) {
      if (endsAtMs < Number.POSITIVE_INFINITY) return;
      endsAtMs = performance.now() + afterMs;
      const timer = setTimeout(() => {
        over = true;
        for (const listener of listeners) listener();
        listeners.clear();
      }, afterMs);
      // Nobody waits for it when the process ends.
      timer.unref();
    },
    onOver(listener) {
      if (over) listener();
      else listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
