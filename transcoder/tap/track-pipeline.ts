// Track pipeline: what lies between the datagrams of one tapped track and the presentation.
import type { Logger } from 'pino';
import type { TapTrack } from '#contract';
import type { IvfCodec } from '../codec/ivf.ts';
import { AudioEncoder } from '../ffmpeg/audio-encoder.ts';
import { VideoEncoder } from '../ffmpeg/video-encoder.ts';
import { keyframeAskMs, segmentTargetMs } from '../hls/limits.ts';
import { createAudioLine } from '../packaging/audio-line.ts';
import { createPictureClock } from '../packaging/picture-clock.ts';
import type { Presentation } from '../packaging/presentation.ts';
import { createAv1Depacketiser } from '../rtp/av1.ts';
import { createH264Depacketiser } from '../rtp/h264.ts';
import type { Depacketiser, DepacketiserEvents, ForeignPicture } from '../rtp/picture.ts';
import type { SenderClock } from '../rtp/track-clock.ts';
import { createVp8Depacketiser } from '../rtp/vp8.ts';
import { createVp9Depacketiser } from '../rtp/vp9.ts';
import { createKeyframePacer } from './keyframe-pacer.ts';
import { createTrackReceiver, type TimedPacket, type TrackReceiver } from './track-receiver.ts';

export interface TrackPipeline {
  /** Null for what has no source. */
  readonly receiver: TrackReceiver | null;
  tick(nowMs: number): void;
  close(): void;
  /** The encoder's process, where there is one. */
  readonly encoderPid: number | undefined;
}

type SoundOptions = Pick<PipelineOptions, 'presentation' | 'ffmpegBin' | 'log' | 'now'>;

export interface PipelineOptions {
  track: TapTrack;
  /** Place of the track's rendition, 0 is the best layer. */
  layer: number;
  presentation: Presentation;
  sender: SenderClock;
  ffmpegBin: string;
  log: Logger;
  now(): number;
  requestKeyframe(): void;
}

const samplesPerMs = 48;

/** Null for a codec that cannot be packaged. */
export function createTrackPipeline(options: PipelineOptions): TrackPipeline | null {
  switch (options.track.mimeType.toLowerCase()) {
    case 'audio/opus':
      return createSoundPipeline(options, options);
    case 'video/h264':
      return createH264Pipeline(options);
    case 'video/vp8':
      return createEncodingPipeline(options, 'VP80', createVp8Depacketiser);
    case 'video/vp9':
      return createEncodingPipeline(options, 'VP90', createVp9Depacketiser);
    case 'video/av1':
      return createEncodingPipeline(options, 'AV01', createAv1Depacketiser);
    default:
      return null;
  }
}

/** Opus packets → unbroken Opus → AAC → samples; without a track, silence from the beginning. */
export function createSoundPipeline(
  options: SoundOptions,
  source: Pick<PipelineOptions, 'track' | 'sender'> | null,
): TrackPipeline {
  const { presentation, now } = options;
  let encoder: AudioEncoder | null = null;
  const line = createAudioLine({
    timeline: presentation.timeline,
    startedMs: now(),
    onStart(timeMs) {
      encoder = AudioEncoder.create({
        ffmpegBin: options.ffmpegBin,
        log: options.log,
        startSamples: Math.round(timeMs * samplesPerMs),
        onFrame: (frame, config, startSamples) =>
          presentation.pushSound(frame, config, startSamples, now()),
      });
    },
    onPacket: (packet, samples) => encoder?.push(packet, samples),
  });
  const receiver =
    source &&
    createTrackReceiver(source.track, source.sender, (timed) =>
      line.push(timed.packet.payload, timed.ticks, timed.wallMs, now()),
    );
  return {
    receiver,
    tick(nowMs) {
      receiver?.expire(nowMs);
      line.tick(nowMs);
    },
    close: () => encoder?.close(),
    get encoderPid() {
      return encoder?.pid;
    },
  };
}

/** H.264 access units → samples: nothing is decoded. */
function createH264Pipeline(options: PipelineOptions): TrackPipeline {
  const { presentation, now } = options;
  const clock = createPictureClock(presentation.timeline, options.track.clockRate);
  const pacer = createKeyframePacer(keyframeAskMs, options.requestKeyframe);
  let current: TimedPacket | null = null;
  const depacketiser = createH264Depacketiser(
    {
      onPicture(unit) {
        if (!current) return;
        if (unit.key) pacer.arrived(now());
        const timeMs = clock.timeOf(...timeOfPicture(current, unit.timestamp, options.track));
        const { chunks, bytes, key, config } = unit;
        presentation.pushPicture(options.layer, { chunks, bytes, key, timeMs, config }, now());
      },
      onLoss: () => pacer.need(now()),
    },
    outOfBandSets(options.track),
  );
  const receiver = createTrackReceiver(options.track, options.sender, (timed) => {
    current = timed;
    depacketiser.push(timed.packet, timed.lost);
  });
  return {
    receiver,
    tick(nowMs) {
      receiver.expire(nowMs);
      if (presentation.needsKeyframe(options.layer)) pacer.need(nowMs);
      pacer.tick(nowMs);
    },
    close() {},
    encoderPid: undefined,
  };
}

/** Pictures of another codec → H.264 by an encoder → samples. */
function createEncodingPipeline(
  options: PipelineOptions,
  codec: IvfCodec,
  createDepacketiser: (events: DepacketiserEvents<ForeignPicture>) => Depacketiser,
): TrackPipeline {
  const { presentation, now } = options;
  const clock = createPictureClock(presentation.timeline, options.track.clockRate);
  // The encoder makes the keyframes that segments need; the source's are needed only to begin.
  const pacer = createKeyframePacer(null, options.requestKeyframe);
  const encoder = VideoEncoder.create({
    codec,
    ffmpegBin: options.ffmpegBin,
    log: options.log,
    keyframeMs: segmentTargetMs,
    onPicture: (picture) => presentation.pushPicture(options.layer, picture, now()),
    onKeyframeNeeded: () => pacer.need(now()),
  });
  let current: TimedPacket | null = null;
  const depacketiser = createDepacketiser({
    onPicture(frame) {
      if (!current) return;
      if (frame.key) pacer.arrived(now());
      const timeMs = clock.timeOf(...timeOfPicture(current, frame.timestamp, options.track));
      encoder.push({ chunks: frame.chunks, key: frame.key, size: frame.size, timeMs });
    },
    onLoss: () => pacer.need(now()),
  });
  const receiver = createTrackReceiver(options.track, options.sender, (timed) => {
    current = timed;
    depacketiser.push(timed.packet, timed.lost);
  });
  return {
    receiver,
    tick(nowMs) {
      receiver.expire(nowMs);
      pacer.tick(nowMs);
    },
    close: () => encoder.close(),
    get encoderPid() {
      return encoder.pid;
    },
  };
}

/**
 * A picture may be completed by the first packet of the next one, so its time is counted back from that
 * packet's by the difference of their timestamps (32 bits, wrapping).
 */
function timeOfPicture(
  current: TimedPacket,
  timestamp: number,
  track: TapTrack,
): [ticks: number, wallMs: number] {
  const behindTicks = (current.packet.timestamp - timestamp) | 0;
  return [current.ticks - behindTicks, current.wallMs - (behindTicks * 1_000) / track.clockRate];
}

/** Parameter sets that a sender names in its session description instead of sending them in band. */
function outOfBandSets(track: TapTrack): Buffer[] {
  const sets = track.parameters['sprop-parameter-sets'];
  if (typeof sets !== 'string') return [];
  return sets.split(',').map((set) => Buffer.from(set, 'base64'));
}
