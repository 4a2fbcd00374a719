// The sweep: ends streams whose media is gone for good, or never came.
import { endLostStreams } from '#db';
import type { Deps } from '../deps.ts';
import { livingNodes } from '../services/placement.ts';

/** A publisher may lose the network for so long before the stream ends. */
const mediaGraceSeconds = 30;
/** How long a stream may wait for its first picture. */
const startGraceSeconds = 180;

/** One round. Answers how many streams it ended. */
export async function sweepStreams(
  deps: Pick<Deps, 'config' | 'db' | 'redis' | 'publisher' | 'log' | 'now'>,
): Promise<{ ended: number }> {
  // Nodes write to the registry directly: who is alive there and has not reported cannot reach the edge.
  // When the registry cannot be read nobody's silence counts, and the round is left out.
  const nodes = await livingNodes(deps);
  const events = await endLostStreams(
    deps.db,
    { mediaSeconds: mediaGraceSeconds, startSeconds: startGraceSeconds },
    nodes.map((node) => node.nodeId),
  );
  await deps.publisher.publish(events);
  if (events.length > 0) {
    deps.log.info('streams ended', { streamIds: events.map((event) => event.streamId) });
    await deps.publisher.nudgeTranscoders();
  }
  return { ended: events.length };
}
