// Rounds: every peer in turn with the same viewers and the same source, and what a packet cost it.
import { setTimeout as delay } from 'node:timers/promises';
import { busySeconds, cpuSecondsOf } from '../../testing/cpu-time.ts';
import {
  openPlainSource,
  type Pace,
  type PlainSource,
  packetsPerSecondAt,
} from '../../testing/receivers/plain-source.ts';
import type { Peer } from './peer.ts';

/** From the first packet of a source until all that it sets in motion runs evenly. */
const settleMs = 400;
const joinsAtATime = 10;

export interface Contender {
  peer: Peer;
  source: PlainSource;
  viewers: number;
}

export interface Sample {
  packetsPerCpuSecond: number;
  /** Of one processor. */
  cpuShare: number;
  lostShare: number;
  /** Of the packets that a source and receivers with all the time they need would have moved. */
  paceShare: number;
  /** Processors that the rest of the machine kept busy meanwhile. */
  others: number;
}

function sourceOptions({ ports, audioPacketMs }: Peer) {
  return audioPacketMs === undefined ? ports : { ...ports, audioPacketMs };
}

export async function enlist(peer: Peer): Promise<Contender> {
  return { peer, source: await openPlainSource(sourceOptions(peer)), viewers: 0 };
}

/** Lets people in until there are so many, while the source runs. */
export async function grow(contender: Contender, viewers: number, bitrateBps: number) {
  const { peer, source } = contender;
  source.start(bitrateBps);
  while (contender.viewers < viewers) {
    const arriving = Math.min(joinsAtATime, viewers - contender.viewers);
    await Promise.all(
      Array.from({ length: arriving }, async () => {
        const { receiver, ssrcs } = await peer.join();
        await Promise.all([receiver.firstPacket(ssrcs.audio), receiver.firstPacket(ssrcs.video)]);
      }),
    );
    contender.viewers += arriving;
  }
  source.stop();
}

/** The cost of so many bits a second, over one window. */
export async function measure(
  { peer, source, viewers }: Contender,
  bitrateBps: number,
  windowMs: number,
  pace: Pace = 'even',
): Promise<Sample> {
  source.start(bitrateBps, pace);
  await delay(settleMs);
  const before = await reading(peer);
  await delay(windowMs);
  const after = await reading(peer);
  source.stop();
  const { failures } = peer.receivers;
  if (failures.length > 0) throw new Error(`${peer.name} has lost viewers: ${failures[0]}`);
  const packets = after.packets - before.packets;
  const gaps = after.gaps - before.gaps;
  const seconds = (after.atMs - before.atMs) / 1_000;
  const cpu = after.cpu - before.cpu;
  return {
    packetsPerCpuSecond: packets / cpu,
    cpuShare: cpu / seconds,
    lostShare: gaps / (packets + gaps),
    paceShare: packets / (viewers * packetsPerSecondAt(bitrateBps, peer.audioPacketMs) * seconds),
    others: Math.max(0, after.others - before.others) / seconds,
  };
}

async function reading(peer: Peer) {
  const atMs = performance.now();
  const [{ packets, gaps }, cpu, own, busy] = await Promise.all([
    peer.receivers.count(),
    peer.cpuSeconds(),
    cpuSecondsOf(process),
    busySeconds(),
  ]);
  return { packets, gaps, cpu, others: busy - own, atMs };
}
