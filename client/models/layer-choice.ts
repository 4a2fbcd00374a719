// The choice of a layer: the smallest picture that is as good as a larger one where it is shown.
import type { LayerSize } from '#contract';
import type { PictureQuality } from './picture-quality.ts';

/** Where a picture is shown, in pixels of the device. */
export type Box = { width: number; height: number; fit: 'contain' | 'cover' };

/** A smaller layer is changed to only when it is larger than its place by this share, so that small changes change nothing. */
export const stepDownMargin = 0.1;

/** The lines that a picture is called by, whichever way the camera was held. */
export const linesOf = ({ width, height }: LayerSize): number => Math.min(width, height);

/** How much a layer is enlarged in a place: 1 is pixel for pixel. */
function enlargementOf(size: LayerSize, { width, height, fit }: Box): number {
  const [across, down] = [width / size.width, height / size.height];
  return fit === 'contain' ? Math.min(across, down) : Math.max(across, down);
}

function fittingLayer(sizes: readonly LayerSize[], box: Box, current: number | null): number {
  const place = sizes.findIndex((size, layer) => {
    const isStepDown = current !== null && layer < current;
    return enlargementOf(size, box) <= (isStepDown ? 1 - stepDownMargin : 1);
  });
  return place < 0 ? sizes.length - 1 : place;
}

/**
 * The layer to ask for, counted from the smallest. `box` is null for a picture that has no place yet, and `current` for
 * one of which nothing was asked before.
 */
export function chooseLayer(
  sizes: readonly LayerSize[],
  quality: PictureQuality,
  box: Box | null,
  current: number | null,
): number {
  if (typeof quality === 'number') {
    return Math.max(
      0,
      sizes.findLastIndex((size) => linesOf(size) <= quality),
    );
  }
  return quality === 'auto' && box ? fittingLayer(sizes, box, current) : 0;
}
