// The two SFU nodes of a running product, as they tell of themselves.
import { setTimeout as delay } from 'node:timers/promises';
import { SfuStats } from '#contract';
import type { Stack } from '../scripts/launch/stack.ts';

const parts = ['sfu', 'sfu-2'] as const;
const lookEveryMs = 100;
const foundWithinMs = 20_000;

/** What each node says of a stream; null for one on which nobody is in its room. */
export async function roomsOfNodes({ urls, secrets }: Stack, streamId: string) {
  return Promise.all(
    [urls.sfu, urls.sfu2].map(async (url) => {
      const answer = await fetch(`${url}/stats`, {
        headers: { authorization: `Bearer ${secrets.nodeSecret}` },
      });
      const { rooms } = SfuStats.parse(await answer.json());
      return rooms.find((room) => room.streamId === streamId) ?? null;
    }),
  );
}

/** The node that the performer sends to; waits for it. */
export async function publishingPart(
  stack: Stack,
  streamId: string,
): Promise<(typeof parts)[number]> {
  const deadline = performance.now() + foundWithinMs;
  while (performance.now() < deadline) {
    // One of them may just be away.
    const rooms = await roomsOfNodes(stack, streamId).catch(() => []);
    const part = parts[rooms.findIndex((room) => room?.publishing)];
    if (part) return part;
    await delay(lookEveryMs);
  }
  throw new Error('nobody publishes this stream');
}
