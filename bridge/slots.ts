// Slots: how many may do something costly at once.

export interface Slots {
  readonly taken: number;
  /** Answers what gives the slot back, or null when there is none. */
  take(): (() => void) | null;
}

export function createSlots(slotsMax: number): Slots {
  let taken = 0;
  return {
    get taken() {
      return taken;
    },
    take() {
      if (taken >= slotsMax) return null;
      taken += 1;
      let given = false;
      return () => {
        if (given) return;
        given = true;
        taken -= 1;
      };
    },
  };
}
