// Audio line: Opus packets in, an Opus stream without holes out, so that sound never falls behind pictures.
import { opusPacketSamples, opusSampleRate, silentOpus } from '../codec/opus-packet.ts';
import type { Timeline } from './timeline.ts';

/** Without a packet for so long, silence takes its place (loss, discontinuous transmission, a muted microphone). */
export const audioSilenceAfterMs = 150;
/** A track that has sent nothing by then begins with silence. */
export const audioStartMsMax = 500;
/** A hole longer than this is a new start of the sender's timestamps. */
const holeSamplesMax = 2 * opusSampleRate;
/** So many packets in a row that lie before what has been played: the sender's timestamps stood still. */
const overlapPacketsMax = 10;
/** Sound further off than this is corrected by whole packets instead of by bending the timeline. */
export const audioErrorMsMax = 40;
const errorSmoothing = 0.05;
const samplesPerMs = opusSampleRate / 1_000;

export interface AudioLine {
  /** A packet with its timestamp (unwrapped, 48 kHz), captured at `wallMs`, arrived at `nowMs`. */
  push(packet: Buffer, ticks: number, wallMs: number, nowMs: number): void;
  /** Fills in silence where packets are overdue. */
  tick(nowMs: number): void;
}

export interface AudioLineOptions {
  timeline: Timeline;
  startedMs: number;
  /** Where on the timeline the first packet lies; called once, before the first packet. */
  onStart(timeMs: number): void;
  onPacket(packet: Buffer, samples: number): void;
}

export function createAudioLine(options: AudioLineOptions): AudioLine {
  const { timeline } = options;
  let startMs: number | null = null;
  let position = 0;
  let nextTicks: number | null = null;
  let lastArrivalMs = options.startedMs;
  let positionAtArrival = 0;
  let overlaps = 0;
  let errorMs = 0;

  const positionMs = () => (startMs ?? 0) + position / samplesPerMs;

  function start(timeMs: number): void {
    startMs = timeMs;
    options.onStart(timeMs);
  }

  function emit(packet: Buffer, samples: number): void {
    position += samples;
    options.onPacket(packet, samples);
  }

  function emitSilence(samples: number): void {
    let left = samples;
    for (const silence of silentOpus) {
      for (; left >= silence.samples; left -= silence.samples) {
        emit(silence.packet, silence.samples);
      }
    }
  }

  /** Puts the packet where its capture time says, after a start or a jump of the timestamps. */
  function anchor(ticks: number, wallMs: number): void {
    nextTicks = ticks;
    overlaps = 0;
    const aheadMs = timeline.ofWall(wallMs) - positionMs();
    if (aheadMs > 0) emitSilence(Math.min(aheadMs * samplesPerMs, holeSamplesMax));
    errorMs = positionMs() - timeline.ofWall(wallMs);
  }

  /** False when the packet's time has passed already. */
  function closeHole(ticks: number, wallMs: number): boolean {
    const hole = nextTicks === null ? 0 : ticks - nextTicks;
    if (nextTicks === null || hole > holeSamplesMax || hole < -holeSamplesMax) {
      anchor(ticks, wallMs);
    } else if (hole > 0) {
      emitSilence(hole);
      nextTicks = ticks;
    } else if (hole < 0) {
      if (++overlaps <= overlapPacketsMax) return false;
      anchor(ticks, wallMs);
    }
    overlaps = 0;
    return true;
  }

  return {
    push(packet, ticks, wallMs, nowMs) {
      const samples = opusPacketSamples(packet);
      if (samples === null) return;
      if (startMs === null) start(timeline.ofWall(wallMs));
      const inTime = closeHole(ticks, wallMs);
      lastArrivalMs = nowMs;
      if (inTime) {
        nextTicks = ticks + samples;
        const measured = positionMs() - timeline.ofWall(wallMs);
        errorMs += (measured - errorMs) * errorSmoothing;
        if (errorMs > audioErrorMsMax) {
          // Late: this packet is left out.
          errorMs -= samples / samplesPerMs;
        } else {
          if (errorMs < -audioErrorMsMax) {
            emitSilence(samples);
            errorMs += samples / samplesPerMs;
          } else timeline.follow(errorMs * errorSmoothing);
          emit(packet, samples);
        }
      }
      positionAtArrival = position;
    },
    tick(nowMs) {
      const quietMs = nowMs - lastArrivalMs;
      if (startMs === null) {
        if (quietMs < audioStartMsMax) return;
        start(timeline.ofWall(nowMs - audioSilenceAfterMs));
        lastArrivalMs = nowMs - audioSilenceAfterMs;
        return;
      }
      if (quietMs < audioSilenceAfterMs) return;
      const due = positionAtArrival + (quietMs - audioSilenceAfterMs) * samplesPerMs;
      const [longest] = silentOpus;
      while (position + longest.samples <= due) {
        emit(longest.packet, longest.samples);
        if (nextTicks !== null) nextTicks += longest.samples;
      }
    },
  };
}
