// Discontinuities: a count that the playlists of all tracks of a stream keep in step.

/**
 * A break (a new link to the media, another picture size) happens to the stream, not to a track. Each track
 * marks it at its own next segment, so that equal numbers mean equal times in all playlists.
 */
export interface Discontinuities {
  /** How many there have been since the stream began. */
  readonly total: number;
  add(): void;
}

export function createDiscontinuities(): Discontinuities {
  let total = 0;
  return {
    get total() {
      return total;
    },
    add() {
      total++;
    },
  };
}
