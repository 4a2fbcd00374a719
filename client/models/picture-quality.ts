// The picture quality: what a viewer has chosen to be sent, as this device remembers it.
import { type ReadonlySignal, signal } from '@preact/signals';
import type { LayerSize } from '#contract';
import { chooseLayer, linesOf } from './layer-choice.ts';

/** A number is the lines of a picture that is to be sent whatever its place in the page. */
export type PictureQuality = 'auto' | 'saver' | 'sound' | number;

const qualityKey = 'livepanty.picture-quality';
const words = ['auto', 'saver', 'sound'] as const;

function read(kept: string | null): PictureQuality | null {
  const word = words.find((one) => one === kept);
  if (word) return word;
  const lines = /^(\d{2,4})p$/.exec(kept ?? '')?.[1];
  return lines === undefined ? null : Number(lines);
}

/** `savesData` says whether the device asks for little traffic, which counts until the viewer has chosen. */
export function createPictureQuality(
  storage: Pick<Storage, 'getItem' | 'setItem'>,
  savesData: boolean,
) {
  const chosen = signal<PictureQuality>(
    read(storage.getItem(qualityKey)) ?? (savesData ? 'saver' : 'auto'),
  );
  return {
    chosen: chosen as ReadonlySignal<PictureQuality>,
    choose(quality: PictureQuality): void {
      chosen.value = quality;
      storage.setItem(qualityKey, typeof quality === 'number' ? `${quality}p` : quality);
    },
  };
}
export type PictureQualityChoice = ReturnType<typeof createPictureQuality>;

/** What there is to choose for a picture of these sizes, in the order of a menu. */
export function qualitiesOf(sizes: readonly LayerSize[]): PictureQuality[] {
  const lines = sizes.length > 1 ? new Set(sizes.map(linesOf)) : [];
  return ['auto', ...[...lines].toSorted((a, b) => b - a), 'saver', 'sound'];
}

/** Which of these a choice comes to: other streams may have had other sizes. */
export function effectiveQuality(
  chosen: PictureQuality,
  sizes: readonly LayerSize[],
): PictureQuality {
  if (typeof chosen !== 'number') return chosen;
  const size = sizes[chooseLayer(sizes, chosen, null, null)];
  return size && sizes.length > 1 ? linesOf(size) : 'auto';
}
