// Renders a media playlist as text, whole or as a delta update.
import {
  canSkipUntilSeconds,
  holdBackSeconds,
  partHoldBackSeconds,
  partsListedSeconds,
  partTargetMs,
  targetDurationSeconds,
} from './limits.ts';
import type { PlaylistEdge, PlaylistView } from './media-playlist.ts';
import type { Segment } from './segment.ts';
import * as tag from './tags.ts';

export interface RenditionReport extends PlaylistEdge {
  uri: string;
}

export interface RenderOptions {
  /** The player knows the past and asks for the rest only (`_HLS_skip=YES`). */
  skip: boolean;
  reports: readonly RenditionReport[];
}

export function renderMediaPlaylist(view: PlaylistView, options: RenderOptions): string {
  const skipped = options.skip ? skippedSegments(view.segments) : 0;
  const lines = [
    tag.headerTag,
    tag.versionTag,
    tag.targetDurationTag(targetDurationSeconds),
    tag.serverControlTag({ partHoldBackSeconds, holdBackSeconds, canSkipUntilSeconds }),
    tag.partInfTag(partTargetMs / 1_000),
    tag.mediaSequenceTag(view.segments[0]?.sequence ?? 0),
    tag.discontinuitySequenceTag(view.discontinuitySequence),
  ];
  if (view.segments.every(isIndependent)) lines.push(tag.independentSegmentsTag);
  if (skipped > 0) lines.push(tag.skipTag(skipped));

  const partsFrom = firstSegmentWithParts(view.segments);
  view.segments.forEach((segment, index) => {
    if (index < skipped) return;
    const before = view.segments[index - 1];
    lines.push(...segmentLines(segment, before, index >= partsFrom));
  });

  if (view.ended) lines.push(tag.endListTag);
  else lines.push(tag.preloadHintTag(view.nextPartUri));
  lines.push(...options.reports.map(tag.renditionReportTag));
  return `${lines.join('\n')}\n`;
}

function segmentLines(segment: Segment, before: Segment | undefined, withParts: boolean): string[] {
  const lines: string[] = Array(segment.discontinuities).fill(tag.discontinuityTag);
  if (segment.initUri !== before?.initUri) lines.push(tag.mapTag(segment.initUri));
  lines.push(tag.programDateTimeTag(segment.programDateTimeMs));
  if (withParts && !(segment.address && segment.partsGone)) {
    lines.push(...segment.parts.map(tag.partTag));
  }
  if (segment.address) lines.push(tag.segmentTag(segment.durationSeconds), segment.address.uri);
  return lines;
}

/** A segment that had to be cut without a keyframe is not independent, and the playlist must not say so. */
function isIndependent(segment: Segment): boolean {
  return segment.parts[0]?.independent ?? true;
}

/** Index of the oldest segment whose parts are still listed. */
function firstSegmentWithParts(segments: readonly Segment[]): number {
  let behindSeconds = 0;
  for (let index = segments.length - 1; index > 0; index--) {
    behindSeconds += segments[index]?.durationSeconds ?? 0;
    if (behindSeconds >= partsListedSeconds) return index;
  }
  return 0;
}

/** How many of the oldest segments a delta update leaves out. */
function skippedSegments(segments: readonly Segment[]): number {
  let behindSeconds = 0;
  for (let index = segments.length - 1; index >= 0; index--) {
    behindSeconds += segments[index]?.durationSeconds ?? 0;
    if (behindSeconds > canSkipUntilSeconds) return index;
  }
  return 0;
}
