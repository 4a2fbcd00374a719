// The device's memory: what a browser keeps between visits, or keeps until the visit ends where it is told to forget.

export type DeviceStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Some browsers throw at the mere mention of storage that is switched off. */
export function storageOf(browser: Pick<Window, 'localStorage'>): DeviceStorage {
  try {
    return browser.localStorage;
  } catch {
    const kept = new Map<string, string>();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => {
        kept.set(key, value);
      },
      removeItem: (key) => {
        kept.delete(key);
      },
    };
  }
}
