// Track receiver: takes the datagrams of one tapped track and gives its packets in order, with their times.
import type { TapTrack } from '#contract';
import { isRtcp, type RtpPacket, readRtp } from '../rtp/packet.ts';
import { createReorderBuffer } from '../rtp/reorder-buffer.ts';
import { readSenderReports } from '../rtp/rtcp.ts';
import { createTrackClock, type SenderClock } from '../rtp/track-clock.ts';

/** 32 Mbit/s: more than any camera needs, and what a stream may cost the machine at most. */
export const trackBytesPerSecondMax = 4_000_000;

export interface TimedPacket {
  packet: RtpPacket;
  /** Unwrapped RTP timestamp. */
  ticks: number;
  /** How many packets are missing before this one. */
  lost: number;
  /** Wall clock at which the media was captured, as far as the sender tells. */
  wallMs: number;
}

export interface TrackReceiver {
  receive(datagram: Buffer, from: { address: string; port: number }, nowMs: number): void;
  /** To be called every few milliseconds. */
  expire(nowMs: number): void;
  /** When the last packet came; null before the first. */
  readonly lastPacketMs: number | null;
}

/** Strangers' datagrams are ignored: SSRC, payload type and, from the first packet on, the source must fit. */
export function createTrackReceiver(
  track: TapTrack,
  sender: SenderClock,
  deliver: (packet: TimedPacket) => void,
): TrackReceiver {
  const clock = createTrackClock(track.clockRate, sender);
  let source: string | null = null;
  let lastPacketMs: number | null = null;
  let nowMs = 0;
  let missing = 0;
  let second = { startMs: 0, bytes: 0 };
  const order = createReorderBuffer((packet, lost) => {
    missing += lost;
    // Padding only: sent to probe the line, means nothing, but what is missing before it is missing.
    if (packet.payload.length === 0) return;
    const ticks = clock.arrived(packet.timestamp, nowMs);
    deliver({ packet, ticks, lost: missing, wallMs: clock.wallOf(ticks) });
    missing = 0;
  });

  /** Counts what has come in this second; false when it is too much. */
  function takes(bytes: number): boolean {
    if (Math.abs(nowMs - second.startMs) >= 1_000) second = { startMs: nowMs, bytes: 0 };
    second.bytes += bytes;
    return second.bytes <= trackBytesPerSecondMax;
  }

  return {
    receive(datagram, from, now) {
      nowMs = now;
      const name = `${from.address} ${from.port}`;
      if (source !== null && source !== name) return;
      if (isRtcp(datagram)) {
        for (const report of readSenderReports(datagram)) {
          if (report.ssrc === track.ssrc) clock.reported(report, now);
        }
        return;
      }
      const packet = readRtp(datagram);
      if (!packet || packet.ssrc !== track.ssrc || packet.payloadType !== track.payloadType) return;
      source = name;
      if (!takes(datagram.length)) return;
      lastPacketMs = now;
      order.push(packet, now);
    },
    expire(now) {
      nowMs = now;
      order.expire(now);
    },
    get lastPacketMs() {
      return lastPacketMs;
    },
  };
}
