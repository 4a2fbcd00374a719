// Track receiver: takes the datagrams of one tapped track and gives its packets in order, with their times.
import type { TapTrack } from '#contract';
import { isRtcp, type RtpPacket, readRtp } from '../rtp/packet.ts';
import { createReorderBuffer } from '../rtp/reorder-buffer.ts';
import { readSenderReports } from '../rtp/rtcp.ts';
import { createTrackClock, type SenderClock } from '../rtp/track-clock.ts';

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
  const order = createReorderBuffer((packet, lost) => {
    // Padding only: sent to probe the line, means nothing.
    if (packet.payload.length === 0) return;
    const ticks = clock.arrived(packet.timestamp, nowMs);
    deliver({ packet, ticks, lost, wallMs: clock.wallOf(ticks) });
  });

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
