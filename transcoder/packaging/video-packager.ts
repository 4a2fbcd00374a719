// Video packager: pictures of one rendition become samples, and keyframes become segment starts.
import type { AvcConfig } from '../codec/avc-config.ts';
import { partTargetMs, segmentMsMax, segmentMsMin } from '../hls/limits.ts';
import type { MediaPlaylist } from '../hls/media-playlist.ts';
import { createSegmenter } from '../hls/segmenter.ts';
import { videoInitSegment, videoTimescale } from '../mp4/init-segment.ts';
import type { Discontinuities } from './discontinuities.ts';
import type { Timeline } from './timeline.ts';

/** A longer silence between two pictures is not shown as a still: a discontinuity follows. */
export const pictureGapMsMax = 1_500;
const ticksPerMs = videoTimescale / 1_000;
const partTicksMax = partTargetMs * ticksPerMs;
/** The last picture of a run lasts as long as the ones before it; this is the guess for the very first. */
const firstPictureTicks = videoTimescale / 30;
const rateSmoothing = 0.05;

export interface Picture {
  /** AVCC bytes, in pieces. */
  chunks: readonly Buffer[];
  bytes: number;
  key: boolean;
  /** On the timeline. */
  timeMs: number;
  config: AvcConfig;
}

/** A segment of the leading video rendition begins. */
export interface Cut {
  timeMs: number;
  /** The stream's count of discontinuities from here on. */
  discontinuities: number;
}

export interface VideoPackager {
  readonly playlist: MediaPlaylist;
  push(picture: Picture): void;
  /** The run of pictures is over: what is there is published, the next one starts with a keyframe. */
  flush(): void;
  end(): void;
  /** Everything up to here has been seen; null before the first picture. */
  readonly seenMs: number | null;
  readonly config: AvcConfig | null;
  readonly framesPerSecond: number | null;
  readonly keyframe: Picture | null;
}

export interface VideoPackagerOptions {
  playlist: MediaPlaylist;
  timeline: Timeline;
  discontinuities: Discontinuities;
  onCut(cut: Cut): void;
}

export function createVideoPackager(options: VideoPackagerOptions): VideoPackager {
  const { playlist, timeline, discontinuities } = options;
  const segmenter = createSegmenter(playlist, videoTimescale);
  /** Waits for the next picture to know its own length; `opens` says that it is the first of a run. */
  let pending: { picture: Picture; ticks: number; opens: boolean } | null = null;
  let nextTicksMin = 0;
  let seenMs: number | null = null;
  let config: AvcConfig | null = null;
  let initUri = '';
  let marked = discontinuities.total;
  let lastTicks = firstPictureTicks;
  let typicalTicks: number | null = null;
  let keyframe: Picture | null = null;

  function emit(durationTicks: number): void {
    if (!pending) return;
    const { picture, ticks, opens } = pending;
    if (opens) cut(picture, ticks);
    segmenter.push({
      chunks: picture.chunks,
      bytes: picture.bytes,
      sync: picture.key,
      durationTicks,
    });
    pending = null;
  }

  function flush(): void {
    if (pending) nextTicksMin = pending.ticks + lastTicks;
    emit(lastTicks);
    segmenter.end();
  }

  function measure(durationTicks: number): void {
    lastTicks = durationTicks;
    typicalTicks =
      typicalTicks === null
        ? durationTicks
        : typicalTicks + (durationTicks - typicalTicks) * rateSmoothing;
  }

  function cut(picture: Picture, ticks: number): void {
    if (!config?.record.equals(picture.config.record)) {
      // One break is enough where the link has been made anew and the picture size has changed with it.
      if (config && discontinuities.total === marked) discontinuities.add();
      config = picture.config;
      initUri = playlist.addInit(videoInitSegment(config));
    }
    const programDateTimeMs = timeline.wallOf(ticks / ticksPerMs);
    segmenter.begin(
      { initUri, discontinuities: discontinuities.total - marked, programDateTimeMs },
      ticks,
    );
    marked = discontinuities.total;
    options.onCut({ timeMs: ticks / ticksPerMs, discontinuities: marked });
  }

  function startsSegment(picture: Picture): boolean {
    const changed = !config?.record.equals(picture.config.record);
    if (picture.key) return changed || segmenter.segmentMs >= segmentMsMin;
    // No keyframe came: better a segment that depends on the one before than one that is too long.
    return segmenter.segmentMs + lastTicks / ticksPerMs > segmentMsMax;
  }

  return {
    playlist,
    push(picture) {
      const ticks = Math.max(Math.round(picture.timeMs * ticksPerMs), nextTicksMin);
      if (pending) {
        // Cameras often pause behind their first picture. Nothing lies before it, so it can simply start later.
        if (pending.opens && ticks - pending.ticks > partTicksMax) {
          pending.ticks = ticks - firstPictureTicks;
        }
        const gapTicks = ticks - pending.ticks;
        if (gapTicks > pictureGapMsMax * ticksPerMs) {
          discontinuities.add();
          flush();
        } else {
          emit(gapTicks);
          measure(gapTicks);
        }
      }
      seenMs = picture.timeMs;
      if (picture.key) keyframe = picture;
      if (!picture.key && !segmenter.open) return;
      const opens = !segmenter.open;
      if (!opens && startsSegment(picture)) cut(picture, ticks);
      pending = { picture, ticks, opens };
      nextTicksMin = ticks + 1;
    },
    flush,
    end() {
      flush();
      playlist.end();
    },
    get seenMs() {
      return seenMs;
    },
    get config() {
      return config;
    },
    get framesPerSecond() {
      return typicalTicks === null ? null : videoTimescale / typicalTicks;
    },
    get keyframe() {
      return keyframe;
    },
  };
}
