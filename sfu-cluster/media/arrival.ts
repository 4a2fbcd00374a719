// An arrival: a track that takes the place of its copy from another node, but not before its media flows.
import type { Producer } from 'mediasoup/types';
import { keyframeIntervalMinMs } from './keyframe-governor.ts';

/** Whoever has not sent anything by then has come all the same. */
export const arrivalAwaitedMs = 5_000;

/**
 * Calls `arrived` once: when sound comes; when a keyframe of a picture has come and viewers may ask for theirs, so that
 * they are without one for a moment only; when the copy ends; or when the time is over. Never after the producer's end.
 */
export function awaitArrival(producer: Producer, copy: Producer, arrived: () => void): void {
  let timer = setTimeout(arrive, arrivalAwaitedMs);
  let over = false;

  function end(): void {
    over = true;
    clearTimeout(timer);
    producer.off('trace', hear);
  }

  function arrive(): void {
    if (over) return;
    end();
    arrived();
  }

  function hear({ type }: { type: string }): void {
    if (type === 'rtp') {
      // One is enough.
      producer.enableTraceEvent([]).catch(() => undefined);
      arrive();
    } else if (type === 'keyframe') {
      producer.off('trace', hear);
      clearTimeout(timer);
      timer = setTimeout(arrive, keyframeIntervalMinMs);
    }
  }

  producer.observer.once('close', end);
  copy.observer.once('close', arrive);
  producer.on('trace', hear);
  // Keyframes are told of every picture.
  if (producer.kind === 'audio') producer.enableTraceEvent(['rtp']).catch(() => undefined);
}
