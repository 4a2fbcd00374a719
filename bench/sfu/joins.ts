// Joins: how long viewers wait for our node, from the opening of the socket to media, one by one and all at once.
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../../testing/pixel-clock.ts';
import { openPlainSource } from '../../testing/receivers/plain-source.ts';
import { histogram } from '../plot.ts';
import { startOurs } from './ours.ts';
import type { Peer, PeerDeps, Viewer } from './peer.ts';

const viewers = 200;
const arrivalMs = 50;
/** What the room does when all have left is over by then. */
const emptyMs = 1_000;

interface Wait {
  viewer: Viewer;
  /** Until the first packet of any kind, and until the first one of the picture. */
  mediaMs: number;
  pictureMs: number;
}

export async function measureJoins(deps: PeerDeps, bitrateBps: number) {
  const peer = await startOurs('joins', { workers: 1 }, deps);
  const source = await openPlainSource(peer.ports);
  source.start(bitrateBps);
  try {
    const warm = await Promise.all(Array.from({ length: 10 }, () => join(peer)));
    for (const { viewer } of warm) viewer.leave();
    const steady = await arrive(peer, arrivalMs);
    for (const { viewer } of steady) viewer.leave();
    await delay(emptyMs);
    const atOnce = await arrive(peer, 0);
    const mediaOf = (waits: Wait[]) => waits.map(({ mediaMs }) => mediaMs);
    const pictureOf = (waits: Wait[]) => waits.map(({ pictureMs }) => pictureMs);
    console.error(histogram(`first media, a viewer every ${arrivalMs} ms`, mediaOf(steady)));
    console.error(histogram(`first picture, a viewer every ${arrivalMs} ms`, pictureOf(steady)));
    console.error(histogram('first media, all at once', mediaOf(atOnce)));
    const at = (values: number[], share: number) => Math.round(quantile(values, share));
    return {
      joinP50Ms: at(mediaOf(steady), 0.5),
      joinP95Ms: at(mediaOf(steady), 0.95),
      joinPictureP95Ms: at(pictureOf(steady), 0.95),
      joinAtOnceP95Ms: at(mediaOf(atOnce), 0.95),
      joinAtOncePictureP95Ms: at(pictureOf(atOnce), 0.95),
    };
  } finally {
    await source.close();
    await peer.close();
  }
}

async function arrive(peer: Peer, everyMs: number): Promise<Wait[]> {
  const arriving: Promise<Wait>[] = [];
  for (let index = 0; index < viewers; index += 1) {
    arriving.push(join(peer));
    if (everyMs > 0) await delay(everyMs);
  }
  return Promise.all(arriving);
}

async function join(peer: Peer): Promise<Wait> {
  const viewer = await peer.join();
  const { receiver, requestedAtMs, ssrcs } = viewer;
  const [sound, picture] = await Promise.all([
    receiver.firstPacket(ssrcs.audio),
    receiver.firstPacket(ssrcs.video),
  ]);
  return {
    viewer,
    mediaMs: Math.min(sound, picture) - requestedAtMs,
    pictureMs: picture - requestedAtMs,
  };
}
