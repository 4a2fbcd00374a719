// Ladders: the picture sizes that the studio offers, each with the bit rates of its three layers.
import type { LayerSize } from '#contract';

/** Layers from the smallest to the whole picture, in bits per second. */
export const ladders = {
  '480p30': { width: 854, height: 480, fps: 30, layerBps: [90_000, 250_000, 800_000] },
  '720p30': { width: 1280, height: 720, fps: 30, layerBps: [150_000, 500_000, 1_800_000] },
  '1080p30': { width: 1920, height: 1080, fps: 30, layerBps: [250_000, 900_000, 3_500_000] },
} as const;

/** The layers of a picture of this size, from the smallest, as the encoder makes them. */
export function layerSizesOf(ladder: LadderName, { width, height }: LayerSize): LayerSize[] {
  const { layerBps } = ladders[ladder];
  return layerBps.map((_, layer) => {
    const scale = scaleOf(layer, layerBps.length);
    return { width: Math.floor(width / scale), height: Math.floor(height / scale) };
  });
}

/** By how much a layer is smaller than the whole picture. */
export const scaleOf = (layer: number, layers: number): number => 2 ** (layers - 1 - layer);

export type LadderName = keyof typeof ladders;
export const ladderNames = Object.keys(ladders) as LadderName[];
