// Video packager: pictures of one rendition become samples, and keyframes become segment starts.
import type { AvcConfig } from '../codec/avc-config.ts';
import { stillAfter } from '../codec/h264-still.ts';
import { partTargetMs, segmentMsMax, segmentMsMin } from '../hls/limits.ts';
import type { MediaPlaylist } from '../hls/media-playlist.ts';
import { createSegmenter } from '../hls/segmenter.ts';
import { videoInitSegment, videoTimescale } from '../mp4/init-segment.ts';
import type { Discontinuities } from './discontinuities.ts';
import type { Timeline } from './timeline.ts';

/** The next picture is overdue, and the last one is held, when nothing has come for so long. */
export const pictureOverdueMs = partTargetMs;
/** A run that should bring pictures shows the last one of the run before until then. */
export const pictureAwaitedMs = 1_000;
/** A longer jump of the pictures' times is a discontinuity. */
export const pictureJumpMsMax = 3_000;
const ticksPerMs = videoTimescale / 1_000;
/** A source that has sent nothing for so long sends nothing; pictures further apart tell nothing about the rate. */
const sourceSilentMs = 1_200;
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
  /** A run begins; without pictures of its own it shows the last one of the run before. */
  startRun(expectsPictures: boolean, nowMs: number): void;
  push(picture: Picture, nowMs: number): void;
  /** Holds the last picture where the next one is overdue; to be called every few milliseconds. */
  hold(nowMs: number): void;
  /** The run of pictures is over: what is there is published, the next one starts with a keyframe. */
  flush(): void;
  end(): void;
  /** Pictures come that cannot be shown before the next keyframe. */
  readonly needsKeyframe: boolean;
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

/**
 * A source that sends nothing, or seldom, must not stop the playlist or make a part longer than the target. So a
 * picture that lasts too long for its part is followed by stills, which say "as before" and cost a few bytes.
 * Nobody can begin to watch at one of those: while the source is silent, each segment begins with the last keyframe
 * shown again, and what the source sends then can be shown from its next keyframe on.
 */
export function createVideoPackager(options: VideoPackagerOptions): VideoPackager {
  const { playlist, timeline, discontinuities } = options;
  const segmenter = createSegmenter(playlist, videoTimescale);
  /** Waits for the next picture to know its own length; `opens` says that it is the first of a run. */
  let pending: { picture: Picture; ticks: number; opens: boolean } | null = null;
  /** The last picture that came from the source. */
  let latest: { picture: Picture; ticks: number; wantedTicks: number; lagMs: number } | null = null;
  let keyframe: Picture | null = null;
  /** What decoders show. When it is not the latest picture, those that refer to that one are useless. */
  let shown: Picture | null = null;
  let needsKeyframe = false;
  let resumeMs: number | null = null;
  let nextTicksMin = 0;
  let seenMs: number | null = null;
  let config: AvcConfig | null = null;
  let initUri = '';
  let marked = discontinuities.total;
  let lastTicks = firstPictureTicks;
  let typicalTicks: number | null = null;

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
    nextTicksMin = ticks + durationTicks;
    pending = null;
  }

  function flush(): void {
    emit(Math.min(lastTicks, segmenter.room.ticks));
    segmenter.end();
    resumeMs = null;
  }

  function measure(intervalTicks: number): void {
    if (intervalTicks > sourceSilentMs * ticksPerMs) return;
    lastTicks = Math.min(intervalTicks, pictureOverdueMs * ticksPerMs);
    typicalTicks ??= intervalTicks;
    typicalTicks += (intervalTicks - typicalTicks) * rateSmoothing;
  }

  function changes(picture: Picture): boolean {
    return !config?.record.equals(picture.config.record);
  }

  function cut(picture: Picture, ticks: number): void {
    if (changes(picture)) {
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

  /** Another picture, however long it lasts, may not fit into the segment. */
  function isFull(): boolean {
    return segmenter.segmentMs + pictureOverdueMs > segmentMsMax;
  }

  function startsSegment(picture: Picture): boolean {
    if (picture.key) return changes(picture) || segmenter.segmentMs >= segmentMsMin;
    // No keyframe came: better a segment that depends on the one before than one that is too long.
    return isFull();
  }

  /** The place of a picture; everything before it has been emitted. */
  function place(picture: Picture, ticks: number): void {
    const opens = !segmenter.open;
    if (!opens && startsSegment(picture)) cut(picture, ticks);
    pending = { picture, ticks, opens };
    seenMs = ticks / ticksPerMs;
  }

  /** Fills the part with the pending picture, and puts a still behind it. */
  function holdOnce(): void {
    if (!keyframe || !shown || !latest) return;
    emit(segmenter.room.ticks);
    const silent = nextTicksMin - latest.ticks > sourceSilentMs * ticksPerMs;
    const still = isFull() && silent ? null : stillOf(shown);
    if (!still) shown = keyframe;
    place(still ?? keyframe, nextTicksMin);
  }

  function lastUntil(ticks: number): void {
    while (pending && ticks - pending.ticks > segmenter.room.ticksMax) holdOnce();
    if (pending) emit(ticks - pending.ticks);
  }

  /** The pictures' clock or the machine's has jumped: there is no time to make up for. */
  function jump(nowMs: number): void {
    discontinuities.add();
    flush();
    nextTicksMin = 0;
    resumeMs = nowMs + pictureAwaitedMs;
  }

  /** Whether decoders can make something of the picture, and a segment of it would not be a moment long. */
  function isShowable(picture: Picture): boolean {
    if (!pending || !latest) return picture.key;
    const alike = latest.picture.config.record.equals(picture.config.record);
    if (picture.key) return alike || (!pending.opens && segmenter.segmentMs >= segmentMsMin);
    return alike && shown === latest.picture;
  }

  return {
    playlist,
    startRun(expectsPictures, nowMs) {
      resumeMs = nowMs + (expectsPictures ? pictureAwaitedMs : 0);
    },
    push(picture, nowMs) {
      const wantedTicks = Math.round(picture.timeMs * ticksPerMs);
      const forwards = pending ? wantedTicks - pending.ticks : 0;
      const backwards = latest ? latest.wantedTicks - wantedTicks : 0;
      if (Math.max(forwards, backwards) > pictureJumpMsMax * ticksPerMs) jump(nowMs);
      needsKeyframe = !isShowable(picture);
      if (needsKeyframe) return;
      const ticks = Math.max(wantedTicks, pending ? pending.ticks + 1 : nextTicksMin);
      if (latest && pending) measure(ticks - latest.ticks);
      lastUntil(ticks);
      if (picture.key) keyframe = picture;
      shown = picture;
      const lagMs = timeline.ofWall(nowMs) - picture.timeMs;
      latest = { picture, ticks, wantedTicks, lagMs };
      place(picture, ticks);
    },
    hold(nowMs) {
      if (!latest || !keyframe) return;
      const reachedTicks = Math.round((timeline.ofWall(nowMs) - latest.lagMs) * ticksPerMs);
      if (!pending && resumeMs !== null && nowMs >= resumeMs) {
        shown = keyframe;
        place(keyframe, Math.max(reachedTicks, nextTicksMin));
      }
      if (!pending) return;
      const heldTicks = reachedTicks - pending.ticks;
      if (heldTicks > pictureJumpMsMax * ticksPerMs) jump(nowMs);
      while (pending && reachedTicks - pending.ticks > pictureOverdueMs * ticksPerMs) holdOnce();
    },
    flush,
    end() {
      flush();
      playlist.end();
    },
    get needsKeyframe() {
      return needsKeyframe;
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

function stillOf(picture: Picture): Picture | null {
  const bytes = stillAfter(Buffer.concat(picture.chunks), picture.config.record);
  return bytes && { ...picture, chunks: [bytes], bytes: bytes.length, key: false };
}
