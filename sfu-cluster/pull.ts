// The pull: asks the edge from which node a room's media is to be brought.
import { PullAnswer, type PullBody } from '#contract';

const pullTimeoutMs = 2_000;

/** Where to bring a stream from; null when there is nowhere. `unreachable` is the node that was tried in vain. */
export type Pull = (streamId: string, unreachable?: string) => Promise<PullAnswer['from']>;

export function createPull({
  edgeUrl,
  nodeSecret,
  nodeId,
}: {
  edgeUrl: string;
  nodeSecret: string;
  nodeId: string;
}): Pull {
  return async (streamId, unreachable) => {
    const response = await fetch(`${edgeUrl}/internal/nodes/pull`, {
      method: 'POST',
      headers: { authorization: `Bearer ${nodeSecret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ nodeId, streamId, unreachable } satisfies PullBody),
      signal: AbortSignal.timeout(pullTimeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the edge answered ${response.status}`);
    }
    return PullAnswer.parse(await response.json()).from;
  };
}
