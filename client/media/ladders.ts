// Ladders: the picture sizes that the studio offers, each with the bit rates of its three layers.

/** Layers from the smallest to the whole picture, in bits per second. */
export const ladders = {
  '480p30': { width: 854, height: 480, fps: 30, layerBps: [90_000, 250_000, 800_000] },
  '720p30': { width: 1280, height: 720, fps: 30, layerBps: [150_000, 500_000, 1_800_000] },
  '1080p30': { width: 1920, height: 1080, fps: 30, layerBps: [250_000, 900_000, 3_500_000] },
} as const;
export type LadderName = keyof typeof ladders;
export const ladderNames = Object.keys(ladders) as LadderName[];
