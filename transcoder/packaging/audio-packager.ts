// Audio packager: AAC frames become samples, and segments are cut where the video's are.
import { type AacConfig, aacFrameSamples } from '../codec/adts.ts';
import { segmentMsMax, segmentTargetMs } from '../hls/limits.ts';
import type { MediaPlaylist } from '../hls/media-playlist.ts';
import { createSegmenter } from '../hls/segmenter.ts';
import { audioInitSegment } from '../mp4/init-segment.ts';
import type { Discontinuities } from './discontinuities.ts';
import type { Timeline } from './timeline.ts';
import type { Cut } from './video-packager.ts';

/** How long sound waits to learn whether the video cuts a segment at its time. */
export const audioHoldMsMax = 150;
/** How long a stream that should have pictures waits for the first one before sound goes on alone. */
export const videoWaitMsMax = 4_000;
const queuedFramesMax = 500;
const cutsMax = 100;

export interface AudioPackager {
  readonly playlist: MediaPlaylist;
  readonly config: AacConfig | null;
  /** `startSamples` is the frame's place on the timeline, in samples. */
  push(frame: Buffer, config: AacConfig, startSamples: number, nowMs: number): void;
  /** The video begins a segment. */
  cut(cut: Cut): void;
  /** Publishes what can be published: to be called when the video moves on, and every few milliseconds. */
  release(nowMs: number): void;
  /** A run begins; with `expectsVideo`, sound waits for the first picture. */
  startRun(expectsVideo: boolean, nowMs: number): void;
  /** The run is over: what is there is published. */
  flush(): void;
  end(): void;
}

export interface AudioPackagerOptions {
  playlist: MediaPlaylist;
  timeline: Timeline;
  discontinuities: Discontinuities;
  expectsVideo: boolean;
  nowMs: number;
  /** Up to which time the video's cuts are known; null while there are no pictures. */
  videoSeenMs(): number | null;
}

interface QueuedFrame {
  frame: Buffer;
  startSamples: number;
  arrivedMs: number;
}

export function createAudioPackager(options: AudioPackagerOptions): AudioPackager {
  const { playlist, timeline, discontinuities } = options;
  let config: AacConfig | null = null;
  let segmenter: ReturnType<typeof createSegmenter> | null = null;
  let initUri = '';
  let queue: QueuedFrame[] = [];
  let cuts: Cut[] = [];
  let expectsVideo = options.expectsVideo;
  let waitsForVideo = expectsVideo;
  let waitsSinceMs = options.nowMs;
  let marked = discontinuities.total;
  /** Discontinuities that concern sound even if no video cut tells of them. */
  let runDiscontinuities = discontinuities.total;
  let nextSamples: number | null = null;

  const msOf = (samples: number) => (samples * 1_000) / (config?.sampleRate ?? 1);

  /** The cut that a frame starting here belongs behind, if any; the nearest frame edge counts. */
  function takeCut(startSamples: number): Cut | null {
    const edgeMs = msOf(startSamples + aacFrameSamples / 2);
    let taken: Cut | null = null;
    while (cuts[0] && cuts[0].timeMs <= edgeMs) taken = cuts.shift() ?? null;
    return taken;
  }

  /** True when the frame has to wait, or has been dropped as older than the first picture. */
  function waits(head: QueuedFrame, nowMs: number): 'yes' | 'drop' | 'no' {
    if (waitsForVideo) {
      const first = cuts[0];
      if (first) {
        if (msOf(head.startSamples + aacFrameSamples / 2) < first.timeMs) return 'drop';
        waitsForVideo = false;
      } else if (nowMs - waitsSinceMs < videoWaitMsMax) return 'yes';
      else waitsForVideo = false;
    }
    if (!expectsVideo || nowMs - head.arrivedMs >= audioHoldMsMax) return 'no';
    const seenMs = options.videoSeenMs();
    return seenMs !== null && msOf(head.startSamples + aacFrameSamples) > seenMs ? 'yes' : 'no';
  }

  function publish(head: QueuedFrame): void {
    if (!segmenter) return;
    if (nextSamples !== null && head.startSamples !== nextSamples && segmenter.open) {
      // The encoder had to leave something out; a gap within a segment would shift all that follows.
      segmenter.end();
      discontinuities.add();
      runDiscontinuities = discontinuities.total;
    }
    const cut = takeCut(head.startSamples);
    const frameMs = msOf(aacFrameSamples);
    const ownPace = segmenter.segmentMs + frameMs > (expectsVideo ? segmentMsMax : segmentTargetMs);
    if (cut || ownPace || !segmenter.open) {
      const total = Math.max(marked, runDiscontinuities, cut?.discontinuities ?? 0);
      segmenter.begin(
        {
          initUri,
          discontinuities: total - marked,
          programDateTimeMs: timeline.wallOf(msOf(head.startSamples)),
        },
        head.startSamples,
      );
      marked = total;
    }
    segmenter.push({
      chunks: [head.frame],
      bytes: head.frame.length,
      durationTicks: aacFrameSamples,
      sync: true,
    });
    nextSamples = head.startSamples + aacFrameSamples;
  }

  function release(nowMs: number): void {
    for (;;) {
      const head = queue[0];
      if (!head) return;
      const verdict = waits(head, nowMs);
      if (verdict === 'yes') return;
      queue.shift();
      if (verdict === 'no') publish(head);
    }
  }

  function flush(): void {
    if (!waitsForVideo) for (const head of queue) publish(head);
    queue = [];
    cuts = [];
    segmenter?.end();
    nextSamples = null;
  }

  return {
    playlist,
    get config() {
      return config;
    },
    push(frame, frameConfig, startSamples, nowMs) {
      if (!config) {
        config = frameConfig;
        initUri = playlist.addInit(audioInitSegment(config));
        segmenter = createSegmenter(playlist, config.sampleRate);
      }
      queue.push({ frame, startSamples, arrivedMs: nowMs });
      if (queue.length > queuedFramesMax) queue.shift();
      release(nowMs);
    },
    cut(cut) {
      cuts.push(cut);
      if (cuts.length > cutsMax) cuts.shift();
    },
    release,
    flush,
    startRun(nextExpectsVideo, nowMs) {
      expectsVideo = nextExpectsVideo;
      waitsForVideo = expectsVideo;
      waitsSinceMs = nowMs;
      runDiscontinuities = discontinuities.total;
    },
    end() {
      flush();
      playlist.end();
    },
  };
}
