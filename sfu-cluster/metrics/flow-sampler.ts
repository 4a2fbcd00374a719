// The flow sampler: measures the flows of all rooms in turn, at a cost that does not grow with the audience.
import type { Consumer } from 'mediasoup/types';
import { withDeadline } from '../deadline.ts';
import type { Flow } from '../media/flows.ts';
import type { RoomMedia } from '../media/room-media.ts';
import type { ViewerSample } from './quality-instruments.ts';

const tickMs = 1_000;
/**
 * Flows that one tick measures, for each worker; each is one question or two. Five hundred viewers are gone through in
 * ten seconds. What flows between the last measurement of a flow and its end is not counted.
 */
export const flowsPerWorkerAndTickMax = 50;
/** A worker that does not answer is not asked for longer; others look after it. */
const answerTimeoutMs = 2_000;
/** RTCP tells lost packets in 256ths. */
const fractionLostUnit = 256;

interface Bytes {
  bytesIn: number;
  bytesOut: number;
}

interface Traffic extends Bytes {
  bitrateInBps: number;
  bitrateOutBps: number;
}

export interface FlowSampler {
  /** Of all rooms since the start. */
  readonly total: Readonly<Bytes>;
  /** Of one room: bytes since its media began, bitrates as they were measured last. */
  trafficOf(media: RoomMedia): Traffic;
  close(): void;
}

export function createFlowSampler({
  medias,
  workers,
  onViewer,
}: {
  medias(): RoomMedia[];
  /** How many there are. */
  workers: number;
  onViewer(sample: ViewerSample): void;
}): FlowSampler {
  const total: Bytes = { bytesIn: 0, bytesOut: 0 };
  const sums = new WeakMap<RoomMedia, Bytes>();
  const readings = new WeakMap<Flow, Traffic>();
  let due: { media: RoomMedia; flow: Flow }[] = [];
  let ticking = false;

  function takeDue() {
    if (due.length === 0) {
      due = medias().flatMap((media) => media.flows.all.map((flow) => ({ media, flow })));
    }
    return due.splice(0, flowsPerWorkerAndTickMax * workers);
  }

  async function tick(): Promise<void> {
    if (ticking) return;
    ticking = true;
    await Promise.allSettled(takeDue().map(({ media, flow }) => measure(media, flow)));
    ticking = false;
  }

  /** Rejects when the flow ends meanwhile, or its worker does not answer. */
  async function measure(media: RoomMedia, flow: Flow): Promise<void> {
    const [stats] = await inTime(flow.transport.getStats());
    if (!stats) return;
    const { bytesReceived, bytesSent, recvBitrate, sendBitrate } = stats;
    const before = readings.get(flow);
    const grown = {
      bytesIn: bytesReceived - (before?.bytesIn ?? 0),
      bytesOut: bytesSent - (before?.bytesOut ?? 0),
    };
    add(total, grown);
    add(sumOf(media), grown);
    readings.set(flow, {
      bytesIn: bytesReceived,
      bytesOut: bytesSent,
      bitrateInBps: recvBitrate,
      bitrateOutBps: sendBitrate,
    });
    if (flow.picture && !flow.picture.paused) {
      const sample = await sampleViewer(flow.picture, sendBitrate);
      if (sample) onViewer(sample);
    }
  }

  function sumOf(media: RoomMedia) {
    const sum = sums.get(media) ?? { bytesIn: 0, bytesOut: 0 };
    sums.set(media, sum);
    return sum;
  }

  const timer = setInterval(() => void tick(), tickMs);
  timer.unref();
  return {
    total,
    trafficOf(media) {
      const traffic = { ...sumOf(media), bitrateInBps: 0, bitrateOutBps: 0 };
      for (const flow of media.flows.all) {
        const reading = readings.get(flow);
        traffic.bitrateInBps += reading?.bitrateInBps ?? 0;
        traffic.bitrateOutBps += reading?.bitrateOutBps ?? 0;
      }
      return traffic;
    },
    close: () => clearInterval(timer),
  };
}

/** Null before anything was sent. */
async function sampleViewer(picture: Consumer, bitrateBps: number): Promise<ViewerSample | null> {
  const stats = await inTime(picture.getStats());
  const sent = stats.find(({ type }) => type === 'outbound-rtp');
  if (!sent || sent.packetCount === 0) return null;
  return {
    // Zero stands for not known yet.
    roundTripMs: sent.roundTripTime || null,
    lossShare: sent.fractionLost / fractionLostUnit,
    bitrateBps,
    score: picture.score.score,
  };
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  return withDeadline(answer, answerTimeoutMs, () => new Error('the worker does not answer'));
}

function add(sum: Bytes, grown: Bytes): void {
  sum.bytesIn += grown.bytesIn;
  sum.bytesOut += grown.bytesOut;
}
