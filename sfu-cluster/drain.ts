// The drain: sends everybody to other nodes before this one ends, so that pictures go on.
import type { Logger } from 'pino';
import type { Peer } from './peer.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';

/**
 * Hosts go first, so that those who follow find the media where they go; for a moment they send to both. The others
 * are told so long after them, or when they have left.
 */
const publishersAheadMs = 1_500;
/** The others are told over so long, so that the edge and the other nodes are not run down. */
const tellingSpreadMs = 3_000;
const tellingStepMs = 50;
const lookEveryMs = 50;

/** Resolves when nobody is left, or the time is over. The node must be marked as draining before. */
export async function drain(rooms: Rooms, log: Logger, timeoutMs: number): Promise<void> {
  const endsAtMs = performance.now() + timeoutMs;
  const left = () => endsAtMs - performance.now();
  // Hosts alone: a guest who came to another node before them would be there without them.
  const hosts = () =>
    rooms.all.flatMap((room) => room.publishers.filter(({ owner }) => owner.isHost));
  const first = hosts();
  // Told before there is nothing to tap or to pipe any more, so that they look for it elsewhere.
  rooms.prepareToLeave();
  for (const { peers } of rooms.all) for (const peer of peers) if (peer.nodeUse) tell(peer);
  log.info({ rooms: rooms.size, hosts: first.length }, 'the node is drained');
  for (const peer of first) tell(peer);
  await until(() => hosts().length === 0, Math.min(publishersAheadMs, left()));
  const others = rooms.all.flatMap(({ peers }) => peers.filter(({ nodeUse }) => !nodeUse));
  const steps = Math.ceil(tellingSpreadMs / tellingStepMs);
  const perStep = Math.ceil(others.length / steps);
  for (let from = 0; from < others.length && left() > 0; from += perStep) {
    for (const peer of others.slice(from, from + perStep)) tell(peer);
    await wait(tellingStepMs);
  }
  const isLeft = ({ viewers, publishers, peers }: Room) =>
    viewers + publishers.length === 0 && !peers.some(({ nodeUse }) => nodeUse === 'pipe');
  await until(() => rooms.all.every(isLeft), left());
  log.info({ rooms: rooms.size }, 'the drain is over');
}

function tell(peer: Peer): void {
  if (!peer.leaving) peer.send({ type: 'room.move' });
}

async function until(isTrue: () => boolean, timeoutMs: number): Promise<void> {
  const endsAtMs = performance.now() + timeoutMs;
  while (!isTrue() && performance.now() < endsAtMs) await wait(lookEveryMs);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
