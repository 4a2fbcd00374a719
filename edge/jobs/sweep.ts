// The sweep: ends streams whose media is gone for good, or never came.
import { endLostStreams } from '#db';
import type { Deps } from '../deps.ts';

/** A publisher may lose the network for so long before the stream ends. */
export const mediaGraceSeconds = 30;
/** How long a stream may wait for its first picture. */
export const startGraceSeconds = 180;

/** One round. Answers how many streams it ended. */
export async function sweepStreams(
  deps: Pick<Deps, 'db' | 'publisher' | 'log'>,
): Promise<{ ended: number }> {
  const events = await endLostStreams(deps.db, {
    mediaSeconds: mediaGraceSeconds,
    startSeconds: startGraceSeconds,
  });
  await deps.publisher.publish(events);
  if (events.length > 0) {
    deps.log.info('streams ended', { streamIds: events.map((event) => event.streamId) });
    await deps.publisher.nudgeTranscoders();
  }
  return { ended: events.length };
}
