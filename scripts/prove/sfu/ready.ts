// Readiness of a node, as whoever runs it asks for it.
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../../../testing/receivers/receivers.ts';
import { probeReady } from '../../launch/probe.ts';

const lookEveryMs = 100;
const answerMsMax = 5_000;

/** Resolves when the node at this address is ready, or the time is over. */
export async function untilReady(url: string, timeoutMs: number): Promise<void> {
  const deadline = monotonicMs() + timeoutMs;
  while (monotonicMs() < deadline) {
    const isReady = await probeReady(url, AbortSignal.timeout(answerMsMax)).then(
      () => true,
      () => false,
    );
    if (isReady) return;
    await delay(lookEveryMs);
  }
}
