// Lives of rooms: a performer comes, people watch on one node or the other, and all leave in the ways people leave.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openPlainSource } from '../../../testing/receivers/plain-source.ts';
import type { Receivers } from '../../../testing/receivers/receivers.ts';
import {
  enterRoom,
  publishPlain,
  type RoomClient,
  type SfuNode,
  type startTestEdge,
  watchRoom,
} from '../../../testing/sfu-node.ts';
import { anyOf, type Random } from '../random.ts';

const viewersMax = 6;
const staysMsMax = 3_000;
const bitrateBps = 150_000;
/** Longer than a node takes to say no; only a worker that dies in the middle leaves somebody waiting so long. */
const stepLimitMs = 4_000;

export interface World {
  nodes: readonly SfuNode[];
  edge: Awaited<ReturnType<typeof startTestEdge>>;
  receivers: Receivers;
  random: Random;
}

export interface Tally {
  rooms: number;
  joins: number;
  /** Joins that saw the picture come. */
  pictures: number;
  taps: number;
  /** What was broken off, as by the death of a worker. */
  disturbed: number;
  /** Why, and how often. */
  reasons: Record<string, number>;
}

export const emptyTally = (): Tally => ({
  rooms: 0,
  joins: 0,
  pictures: 0,
  taps: 0,
  disturbed: 0,
  reasons: {},
});

function disturb(tally: Tally, error: unknown): void {
  tally.disturbed += 1;
  const why = error instanceof Error ? error.message : String(error);
  tally.reasons[why] = (tally.reasons[why] ?? 0) + 1;
}

/** One broadcast from its beginning to its end. */
export async function liveOnce(world: World, tally: Tally): Promise<void> {
  const { nodes, edge, random, receivers } = world;
  const home = nodes[anyOf(random, nodes.length)];
  if (!home) throw new Error('no node');
  const stream = randomUUID();
  tally.rooms += 1;
  edge.origins.set(stream, { nodeId: home.name, url: home.socketUrl });
  const ends: (() => void)[] = [];
  try {
    const ticket = await edge.ticket({ stream, node: home.name, capabilities: ['publish'] });
    const performer = await soon('publish', (signal) =>
      publishPlain({ socketUrl: home.socketUrl, ticket, receivers, signal }),
    );
    ends.push(() => performer.leave());
    const { port } = performer;
    const source = await openPlainSource({ audioPort: port, videoPort: port });
    ends.push(() => void source.close());
    source.start(bitrateBps);
    const visits = Array.from({ length: 1 + anyOf(random, viewersMax) }, () =>
      visit(world, stream, tally).catch((error: unknown) => disturb(tally, error)),
    );
    await Promise.all(visits);
  } catch (error) {
    disturb(tally, error);
  } finally {
    for (const end of ends.reverse()) end();
    edge.origins.delete(stream);
  }
}

async function visit({ nodes, edge, random, receivers }: World, stream: string, tally: Tally) {
  await delay(random() * staysMsMax);
  const node = nodes[anyOf(random, nodes.length)];
  if (!node) throw new Error('no node');
  const { socketUrl, name } = node;
  const kind = random();
  tally.joins += 1;
  if (kind < 0.1) {
    const ticket = await edge.ticket({ stream, node: name, aud: 'node', use: 'tap' });
    const client = await soon('join', (signal) => enterRoom({ socketUrl, ticket, signal }));
    try {
      const ports = { audioPort: 9, videoPorts: [9] };
      await soon('tap', () => client.request('tap.open', { address: '127.0.0.1', ...ports }));
      tally.taps += 1;
      await delay(random() * staysMsMax);
    } finally {
      leave(client, random);
    }
    return;
  }
  const ticket = await edge.ticket({ stream, node: name, capabilities: ['subscribe'] });
  if (kind < 0.25) {
    // Comes to the door, asks for a way in, and never takes it.
    const client = await soon('join', (signal) => enterRoom({ socketUrl, ticket, signal }));
    try {
      await soon('door', () => client.request('transport.create', { direction: 'receive' }));
    } finally {
      leave(client, random);
    }
    return;
  }
  const watching = await soon('watch', (signal) =>
    watchRoom({ socketUrl, ticket, receivers, signal }),
  );
  try {
    await soon('picture', () => watching.receiver.firstPacket(watching.ssrcs.video));
    tally.pictures += 1;
    await delay(random() * staysMsMax);
  } finally {
    watching.receiver.remove();
    leave(watching.client, random);
  }
}

function leave(client: RoomClient, random: Random): void {
  if (random() < 0.5) client.cut();
  else client.close();
}

/** Gives a step the time that it may take; after that its socket is cut, whatever it waits for. */
async function soon<T>(what: string, step: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const tooLong = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.abort();
    tooLong.reject(new Error(`too long: ${what}`));
  }, stepLimitMs);
  const done = step(late.signal);
  done.catch(() => undefined);
  try {
    return await Promise.race([done, tooLong.promise]);
  } finally {
    clearTimeout(timer);
  }
}
