// Viewing: how somebody looks at the pictures of a room now: in what quality, how large, and whether at all.
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Cancel, Clock } from './clock.ts';
import type { Box } from './layer-choice.ts';
import type { PictureQuality } from './picture-quality.ts';

/** A page that is hidden for so long is not looked at: whoever only glances at another tab misses nothing. */
export const outOfSightAfterMs = 3_000;
/** Where the host's picture is, among places that are called by the ids of guests. */
export const hostPlace = 'host';

/** Of the page, whether it can be seen. */
export type Sight = {
  isHidden(): boolean;
  onChange(act: () => void): Cancel;
};

export type ViewingDeps = {
  quality: ReadonlySignal<PictureQuality>;
  sight: Sight;
  clock: Clock;
};

export type Viewing = ReturnType<typeof createViewing>;

export function createViewing({ quality, sight, clock }: ViewingDeps) {
  const boxes = signal<ReadonlyMap<string, Box>>(new Map());
  const pageInSight = signal(true);
  /** The host's picture is in a window of its own, which stays when the page is hidden. */
  const floats = signal(false);
  let cancel: Cancel = () => {};

  function look(): void {
    cancel();
    if (!sight.isHidden()) pageInSight.value = true;
    else if (pageInSight.peek()) {
      cancel = clock.after(outOfSightAfterMs, () => {
        pageInSight.value = false;
      });
    }
  }
  const stopLooking = sight.onChange(look);
  look();

  return {
    quality,
    /** No picture is wanted at all. */
    soundOnly: computed(() => quality.value === 'sound'),
    hostInSight: computed(() => pageInSight.value || floats.value),
    guestsInSight: pageInSight as ReadonlySignal<boolean>,
    floats,
    boxes: boxes as ReadonlySignal<ReadonlyMap<string, Box>>,
    /** How large the picture of a person is shown; null for one that is not in the page any more. */
    place(who: string, box: Box | null): void {
      const next = new Map(boxes.peek());
      if (box) next.set(who, box);
      else next.delete(who);
      boxes.value = next;
    },
    close(): void {
      cancel();
      stopLooking();
    },
  };
}
