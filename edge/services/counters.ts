// Counters: how often each kind of refusal happened since this instance started.

const countersMax = 500;

export interface Counters {
  add(name: string): void;
  read(): Record<string, number>;
}

export function createCounters(): Counters {
  const counts = new Map<string, number>();
  return {
    add(name) {
      if (!counts.has(name) && counts.size >= countersMax) return;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    },
    read: () => Object.fromEntries([...counts].sort()),
  };
}
