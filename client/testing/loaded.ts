// A loaded value for tests, which counts how often it is fetched.
import { createLoaded, type Loaded } from '../models/load.ts';

export function createCountedLoad<T>(read: () => T): { loaded: Loaded<T>; fetches: () => number } {
  let fetches = 0;
  const loaded = createLoaded<T>(async () => {
    fetches += 1;
    return read();
  });
  return { loaded, fetches: () => fetches };
}
