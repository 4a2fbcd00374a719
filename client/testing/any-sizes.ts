// The sizes of a picture in three layers, for tests.
import type { LayerSize } from '#contract';

export const anySizes: readonly LayerSize[] = [
  { width: 320, height: 180 },
  { width: 640, height: 360 },
  { width: 1280, height: 720 },
];
