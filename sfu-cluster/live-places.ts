// Live places: how many live pictures one person, and one line, may take of this node; beyond them there is HLS.
import { lineOf } from '#contract';
import { isInternal } from './addresses.ts';
import { refusal } from './refusals.ts';

/** Windows and devices of one person, and those that were lost a moment ago and are not missed yet. */
export const placesPerSubjectMax = 12;
/** A household, an office or a carrier gateway. */
export const placesPerLineMax = 400;

export interface LivePlaces {
  /** Takes a place; the answer gives it back, once. Throws `no-room`. */
  take(subject: string, address: string): () => void;
}

export function createLivePlaces(limits = { placesPerSubjectMax, placesPerLineMax }): LivePlaces {
  const bySubject = createTally(limits.placesPerSubjectMax);
  const byLine = createTally(limits.placesPerLineMax);
  return {
    take(subject, address) {
      // Behind a proxy that names nobody all come from one address.
      const line = isInternal(address) ? null : lineOf(address);
      if (bySubject.isFull(subject)) {
        throw refusal('no-room', 'one person has only so many live pictures');
      }
      if (line !== null && byLine.isFull(line)) {
        throw refusal('no-room', 'one line has only so many live pictures');
      }
      bySubject.add(subject);
      if (line !== null) byLine.add(line);
      let isGiven = false;
      return () => {
        if (isGiven) return;
        isGiven = true;
        bySubject.remove(subject);
        if (line !== null) byLine.remove(line);
      };
    },
  };
}

function createTally(max: number) {
  const counts = new Map<string, number>();
  return {
    isFull: (key: string) => (counts.get(key) ?? 0) >= max,
    add: (key: string) => void counts.set(key, (counts.get(key) ?? 0) + 1),
    remove(key: string) {
      const left = (counts.get(key) ?? 1) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    },
  };
}
