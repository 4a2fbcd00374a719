// Live places: how many live pictures one person, and one line, may take of this node; beyond them there is HLS.
import { lineOf } from '#contract';
import { isInternal } from './addresses.ts';
import { refusal } from './refusals.ts';
import { createTally } from './tally.ts';

/** Windows and devices of one person, and those that were lost a moment ago and are not missed yet. */
export const placesPerSubjectMax = 12;
/** A household, an office or a carrier gateway. */
export const placesPerLineMax = 400;

export interface LivePlaces {
  /** Takes a place; the answer gives it back, once. Throws `no-room`. */
  take(subject: string, address: string): () => void;
}

export function createLivePlaces(limits = { placesPerSubjectMax, placesPerLineMax }): LivePlaces {
  const bySubject = createTally();
  const byLine = createTally();
  return {
    take(subject, address) {
      // Behind a proxy that names nobody all come from one address.
      const line = isInternal(address) ? null : lineOf(address);
      if (bySubject.of(subject) >= limits.placesPerSubjectMax) {
        throw refusal('no-room', 'one person has only so many live pictures');
      }
      if (line !== null && byLine.of(line) >= limits.placesPerLineMax) {
        throw refusal('no-room', 'one line has only so many live pictures');
      }
      const leaves = [bySubject.take(subject), ...(line === null ? [] : [byLine.take(line)])];
      return () => {
        for (const leave of leaves) leave();
      };
    },
  };
}
