// A viewer for tests: their page, which can be hidden, and what they have chosen.
import { signal } from '@preact/signals';
import type { PictureQuality } from '../models/picture-quality.ts';
import { createViewing } from '../models/viewing.ts';
import { createManualClock } from './manual-clock.ts';

export function createViewingScene({ isHidden = false } = {}) {
  const clock = createManualClock();
  const quality = signal<PictureQuality>('auto');
  let hidden = isHidden;
  let heard: (() => void) | null = null;
  const viewing = createViewing({
    quality,
    sight: {
      isHidden: () => hidden,
      onChange(act) {
        heard = act;
        return () => {
          heard = null;
        };
      },
    },
    clock,
  });
  return {
    clock,
    quality,
    viewing,
    setHidden(now: boolean): void {
      hidden = now;
      heard?.();
    },
    isHeard: () => heard !== null,
  };
}
