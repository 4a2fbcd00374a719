// Probes: whether a service says that it is ready.
import { Health } from '#contract';

const answerTimeoutMs = 3_000;

/** Throws, with the failing checks, unless `/readyz` says yes. */
export async function probeReady(url: string, signal: AbortSignal): Promise<void> {
  const answer = await fetch(`${url}/readyz`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]),
  });
  if (answer.ok) {
    await answer.body?.cancel();
    return;
  }
  const health = Health.safeParse(await answer.json().catch(() => null));
  const failing = Object.entries(health.data?.checks ?? {})
    .filter(([, check]) => !check.ok)
    .map(([name, check]) => `${name} (${check.detail ?? 'not ready'})`);
  throw new Error(failing.join(', ') || `/readyz answered ${answer.status}`);
}
