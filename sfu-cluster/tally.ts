// A tally: how many places each key has taken; a key without any is forgotten.
export interface Tally {
  /** Keys that have places. */
  readonly size: number;
  /** Places of all keys. */
  readonly total: number;
  keys(): Iterable<string>;
  of(key: string): number;
  add(key: string): void;
  remove(key: string): void;
  /** Adds one; the answer removes it, once. */
  take(key: string): () => void;
}

export function createTally(): Tally {
  const counts = new Map<string, number>();
  let total = 0;
  const tally: Tally = {
    get size() {
      return counts.size;
    },
    get total() {
      return total;
    },
    keys: () => counts.keys(),
    of: (key) => counts.get(key) ?? 0,
    add(key) {
      total += 1;
      counts.set(key, tally.of(key) + 1);
    },
    remove(key) {
      const count = tally.of(key);
      if (count === 0) return;
      total -= 1;
      if (count > 1) counts.set(key, count - 1);
      else counts.delete(key);
    },
    take(key) {
      tally.add(key);
      let isGiven = false;
      return () => {
        if (isGiven) return;
        isGiven = true;
        tally.remove(key);
      };
    },
  };
  return tally;
}
