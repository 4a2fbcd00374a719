// The ear: whether anything has come over a transport since it was asked last, media or an answer to a question of ICE.
import type { types } from './device.ts';

/** Counters of the pairs of candidates, each of which grows with what comes over it (W3C WebRTC statistics). */
const counters = ['bytesReceived', 'responsesReceived'] as const;

/** The answer is asked anew each time. A transport that tells nothing counts as silent. */
export function createEar(transport: Pick<types.Transport, 'getStats'>): () => Promise<boolean> {
  let known = new Map<string, number>();
  return async () => {
    const reports = await transport.getStats().catch(() => null);
    const found = new Map<string, number>();
    for (const report of (reports?.values() ?? []) as Iterable<Record<string, unknown>>) {
      if (report.type !== 'candidate-pair') continue;
      for (const counter of counters) {
        found.set(`${report.id} ${counter}`, Number(report[counter] ?? 0));
      }
    }
    const heard = [...found].some(([key, value]) => value > (known.get(key) ?? 0));
    known = found;
    return heard;
  };
}
