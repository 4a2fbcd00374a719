// Presentation: one stream as players see it, made of renditions that share a timeline.
import { randomBytes } from 'node:crypto';
import type { AacConfig } from '../codec/adts.ts';
import {
  type AudioRendition,
  renderMasterPlaylist,
  type VideoVariant,
} from '../hls/master-playlist.ts';
import { createMediaPlaylist, type MediaPlaylist } from '../hls/media-playlist.ts';
import { type AudioPackager, createAudioPackager } from './audio-packager.ts';
import { createDiscontinuities } from './discontinuities.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { createVideoPackager, type Picture, type VideoPackager } from './video-packager.ts';

/** One run of media without a break: which tracks it is made of. */
export interface RunTracks {
  /** How many video layers, best first. */
  videoLayers: number;
  audio: boolean;
}

export interface Presentation {
  readonly timeline: Timeline;
  /** Starts a run; a discontinuity lies between it and the one before. */
  startRun(tracks: RunTracks, nowMs: number): void;
  /** Nothing more comes in this run: what has come is published. */
  endRun(): void;
  pushPicture(layer: number, picture: Picture, nowMs: number): void;
  pushSound(frame: Buffer, config: AacConfig, startSamples: number, nowMs: number): void;
  /** Pictures of this layer come that cannot be shown before its next keyframe. */
  needsKeyframe(layer: number): boolean;
  /** Players have been told of sound: it must go on, if only as silence. */
  readonly hasSound: boolean;
  /** To be called every few milliseconds, so that nothing waits longer than it must. */
  tick(nowMs: number): void;
  end(): void;
  /** Nobody who knows addresses of media can follow by them: see `MediaPlaylist.renewPath`. */
  renewPaths(): void;
  /** The master playlist; `query` comes behind every address in it. Null until there is something to play. */
  master(query: string): string | null;
  readonly playlists: readonly MediaPlaylist[];
  /** True when every track of the current run has a whole segment. */
  readonly ready: boolean;
  /** The latest keyframe of the best rendition. */
  readonly keyframe: Picture | null;
}

export interface PresentationOptions {
  nowMs: number;
  /** Gives names that nobody can guess; tests give known ones. */
  newPathToken?(): string;
}

const pathTokenBytes = 16;
const newPathToken = () => randomBytes(pathTokenBytes).toString('base64url');

const sequenceEpochMs = Date.UTC(2025, 0, 1);

export function createPresentation(options: PresentationOptions): Presentation {
  const timeline = createTimeline(options.nowMs);
  const discontinuities = createDiscontinuities();
  // Seconds as first number: a stream that goes on elsewhere goes on with higher ones.
  const firstSequence = Math.max(0, Math.floor((options.nowMs - sequenceEpochMs) / 1_000));
  const videos: VideoPackager[] = [];
  let audio: AudioPackager | null = null;
  let run: RunTracks | null = null;
  /** Whether anything has come since the last break: two breaks with nothing between them are one. */
  let moved = false;

  function playlist(name: string): MediaPlaylist {
    return createMediaPlaylist({
      name,
      newPathToken: options.newPathToken ?? newPathToken,
      firstSequence,
      // Counted from zero: hls.js walks through an array of this length at each reload.
      firstDiscontinuity: discontinuities.total,
    });
  }

  /** The best layer leads: its segments say where those of all other tracks begin. */
  function addVideo(layer: number): VideoPackager {
    const packager = createVideoPackager({
      playlist: playlist(`video${layer}`),
      timeline,
      discontinuities,
      onCut: (cut) => {
        if (layer === 0) audio?.cut(cut);
      },
    });
    videos[layer] = packager;
    return packager;
  }

  function packagers(): (VideoPackager | AudioPackager)[] {
    return audio ? [...videos, audio] : videos;
  }

  function playable(): MediaPlaylist[] {
    return packagers()
      .map((packager) => packager.playlist)
      .filter((entry) => entry.completeSegments > 0);
  }

  return {
    timeline,
    startRun(tracks, nowMs) {
      run = tracks;
      if (moved) discontinuities.add();
      moved = false;
      for (let layer = videos.length; layer < tracks.videoLayers; layer++) addVideo(layer);
      videos.forEach((video, layer) => {
        video.startRun(layer < tracks.videoLayers, nowMs);
      });
      const expectsVideo = videos.length > 0;
      audio?.startRun(expectsVideo, nowMs);
      if (tracks.audio) {
        audio ??= createAudioPackager({
          playlist: playlist('audio'),
          timeline,
          discontinuities,
          expectsVideo,
          nowMs,
          videoSeenMs: () => videos[0]?.seenMs ?? null,
        });
      }
    },
    endRun() {
      for (const packager of packagers()) packager.flush();
    },
    pushPicture(layer, picture, nowMs) {
      moved = true;
      videos[layer]?.push(picture, nowMs);
      audio?.release(nowMs);
    },
    pushSound(frame, config, startSamples, nowMs) {
      moved = true;
      audio?.push(frame, config, startSamples, nowMs);
    },
    needsKeyframe: (layer) => videos[layer]?.needsKeyframe ?? false,
    tick(nowMs) {
      for (const video of videos) video.hold(nowMs);
      audio?.release(nowMs);
    },
    end() {
      for (const packager of packagers()) packager.end();
    },
    renewPaths() {
      for (const packager of packagers()) packager.playlist.renewPath();
    },
    master(query) {
      const ready = new Set(playable());
      if (ready.size === 0) return null;
      const variants = videos
        .filter((video) => ready.has(video.playlist))
        .flatMap((video) => variantOf(video, query));
      const sound = audio && ready.has(audio.playlist) ? renditionOf(audio, query) : null;
      return renderMasterPlaylist(variants, sound);
    },
    get playlists() {
      return packagers().map((packager) => packager.playlist);
    },
    get ready() {
      if (!run) return false;
      const current: (VideoPackager | AudioPackager)[] = videos.slice(0, run.videoLayers);
      if (run.audio && audio) current.push(audio);
      return current.length > 0 && current.every((each) => each.playlist.completeSegments > 0);
    },
    get hasSound() {
      return audio !== null;
    },
    get keyframe() {
      return videos[0]?.keyframe ?? null;
    },
  };
}

function variantOf(video: VideoPackager, query: string): VideoVariant[] {
  if (!video.config) return [];
  const { codec, width, height } = video.config;
  const uri = `${video.playlist.name}.m3u8${query}`;
  return [
    { uri, codec, width, height, frameRate: video.framesPerSecond, ...bitRates(video.playlist) },
  ];
}

function renditionOf(audio: AudioPackager, query: string): AudioRendition | null {
  if (!audio.config) return null;
  return {
    uri: `${audio.playlist.name}.m3u8${query}`,
    codec: 'mp4a.40.2',
    channels: audio.config.channels,
    ...bitRates(audio.playlist),
  };
}

/** Measured on the segments listed (RFC 8216bis, 4.4.6.2): the largest one, and all of them. */
function bitRates(playlist: MediaPlaylist): {
  peakBitsPerSecond: number;
  averageBitsPerSecond: number;
} {
  let peak = 0;
  let bits = 0;
  let seconds = 0;
  for (const segment of playlist.view().segments) {
    if (!segment.address) continue;
    const segmentBits = 8 * segment.parts.reduce((sum, part) => sum + part.data.length, 0);
    peak = Math.max(peak, segmentBits / segment.durationSeconds);
    bits += segmentBits;
    seconds += segment.durationSeconds;
  }
  return { peakBitsPerSecond: peak, averageBitsPerSecond: seconds > 0 ? bits / seconds : 0 };
}
