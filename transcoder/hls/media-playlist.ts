// Media playlist: the segments and parts of one rendition, as far as they are listed or still kept.
import { assert } from '#contract';
import {
  blockedRequestMsMax,
  listedSecondsMin,
  partTargetMs,
  playlistBytesMax,
  segmentsKeptMax,
  segmentsListedMax,
  segmentsPerPathMax,
} from './limits.ts';
import { createWaiters, type WaitResult } from './waiters.ts';

export interface Part {
  uri: string;
  durationSeconds: number;
  independent: boolean;
  data: Buffer;
}

export interface Segment {
  sequence: number;
  uri: string;
  initUri: string;
  /** How many discontinuities lie between the segment before and this one. */
  discontinuities: number;
  /** Wall clock of its first sample. */
  programDateTimeMs: number;
  parts: Part[];
  durationSeconds: number;
  complete: boolean;
}

export type SegmentOpening = Pick<Segment, 'initUri' | 'discontinuities' | 'programDateTimeMs'>;

/** The newest part; `part` counts within the segment. */
export interface PlaylistEdge {
  sequence: number;
  part: number;
}

/** What the playlist's text is made of. */
export interface PlaylistView {
  name: string;
  segments: readonly Segment[];
  discontinuitySequence: number;
  nextPartUri: string;
  ended: boolean;
}

export type FarFuture = 'too-far';

export interface MediaPlaylist {
  /** `video0`, `audio`: the playlist's file name without its ending. */
  readonly name: string;
  view(): PlaylistView;
  /** Grows with every change of the text. */
  readonly version: number;
  readonly completeSegments: number;
  edge(): PlaylistEdge | null;
  /** Registers an init segment; returns its URI. */
  addInit(data: Buffer): string;
  beginSegment(opening: SegmentOpening): void;
  addPart(part: Omit<Part, 'uri'>): void;
  endSegment(): void;
  /** Nothing more will come. */
  end(): void;
  /** Waits for a segment, or for one of its parts (RFC 8216bis, 6.2.5.2). */
  waitFor(
    sequence: number,
    part: number | null,
    signal?: AbortSignal,
  ): Promise<WaitResult | FarFuture>;
  /** The bytes behind a URI; for the hinted part only once it is there. Null when there is no such thing. */
  resource(uri: string, signal?: AbortSignal): Promise<readonly Buffer[] | null>;
}

export interface MediaPlaylistOptions {
  name: string;
  /** A name that nobody can guess; a new one is asked for every `segmentsPerPathMax` segments. */
  newPathToken(): string;
  /** Numbers that a later playlist of the same stream, on another node, exceeds. */
  firstSequence: number;
  firstDiscontinuity: number;
  segmentsListed?: number;
}

/** A request may be this many parts ahead of the newest one (RFC 8216bis, 6.2.5.2). */
const advancePartsMax = Math.ceil(3_000 / partTargetMs);
const advanceSegmentsMax = 2;

export function createMediaPlaylist(options: MediaPlaylistOptions): MediaPlaylist {
  const listedMax = options.segmentsListed ?? segmentsListedMax;
  const waiters = createWaiters();
  const resources = new Map<string, readonly Buffer[]>();
  const inits: string[] = [];
  let listed: Segment[] = [];
  let kept: Segment[] = [];
  let nextSequence = options.firstSequence;
  let discontinuitySequence = options.firstDiscontinuity;
  let nextPart = 0;
  let path = newPath();
  let pathSegments = 0;
  let hintUri = partUri();
  let initCount = 0;
  let completeSegments = 0;
  let version = 0;
  let ended = false;

  function newPath(): string {
    return `${options.newPathToken()}/${options.name}`;
  }

  function partUri(): string {
    return `${path}/part-${nextPart}.m4s`;
  }

  function changed(): void {
    version++;
    waiters.wake();
  }

  function open(): Segment | null {
    const last = listed.at(-1);
    return last && !last.complete ? last : null;
  }

  function forget(segment: Segment): void {
    resources.delete(segment.uri);
    for (const part of segment.parts) resources.delete(part.uri);
  }

  /** Whether the oldest segment has to go: there are too many, or they are too large and six seconds are left. */
  function isOver(): boolean {
    const complete = listed.filter((segment) => segment.complete);
    if (complete.length > listedMax) return true;
    const leftSeconds = complete.slice(1).reduce((sum, each) => sum + each.durationSeconds, 0);
    return bytesOf(listed) > playlistBytesMax && leftSeconds >= listedSecondsMin;
  }

  function slide(): void {
    while (isOver()) {
      const [gone, ...rest] = listed;
      if (!gone) return;
      listed = rest;
      discontinuitySequence += gone.discontinuities;
      kept.push(gone);
    }
    while (kept.length > segmentsKeptMax || bytesOf([...kept, ...listed]) > playlistBytesMax) {
      const [gone, ...rest] = kept;
      if (!gone) return;
      kept = rest;
      forget(gone);
    }
    const used = new Set([...kept, ...listed].map((segment) => segment.initUri));
    const newest = inits.at(-1);
    for (const uri of inits.splice(0)) {
      if (used.has(uri) || uri === newest) inits.push(uri);
      else resources.delete(uri);
    }
  }

  function edge(): PlaylistEdge | null {
    const last = listed.at(-1);
    if (!last) return null;
    return { sequence: last.sequence, part: last.parts.length - 1 };
  }

  function has(sequence: number, part: number | null): boolean {
    if (ended) return true;
    const last = listed.at(-1);
    if (!last || sequence > last.sequence) return false;
    if (sequence < last.sequence) {
      // Part numbers beyond the end of a segment mean the first part of the next one.
      const named = listed.find((segment) => segment.sequence === sequence);
      if (!named || part === null || part < named.parts.length) return true;
      return has(sequence + 1, 0);
    }
    return last.complete
      ? part === null || part < last.parts.length
      : part !== null && part < last.parts.length;
  }

  function tooFar(sequence: number, part: number | null): boolean {
    if (ended) return false;
    const last = listed.at(-1);
    const lastComplete = last
      ? last.complete
        ? last.sequence
        : last.sequence - 1
      : nextSequence - 1;
    if (sequence > lastComplete + advanceSegmentsMax) return true;
    const newest = edge();
    const ahead =
      part === null || !newest ? 0 : part - (sequence === newest.sequence ? newest.part : -1);
    return ahead > advancePartsMax;
  }

  return {
    name: options.name,
    view: () => ({
      name: options.name,
      segments: listed,
      discontinuitySequence,
      nextPartUri: hintUri,
      ended,
    }),
    get version() {
      return version;
    },
    get completeSegments() {
      return completeSegments;
    },
    edge,
    addInit(data) {
      const uri = `${path}/init-${++initCount}.mp4`;
      inits.push(uri);
      resources.set(uri, [data]);
      return uri;
    },
    beginSegment(opening) {
      assert(!open() && !ended, 'one segment at a time');
      if (++pathSegments > segmentsPerPathMax) {
        path = newPath();
        pathSegments = 1;
      }
      const sequence = nextSequence++;
      listed.push({
        ...opening,
        sequence,
        uri: `${path}/segment-${sequence}.m4s`,
        parts: [],
        durationSeconds: 0,
        complete: false,
      });
    },
    addPart(part) {
      const segment = open();
      assert(segment, 'a part needs an open segment');
      const uri = hintUri;
      nextPart++;
      hintUri = partUri();
      segment.parts.push({ ...part, uri });
      segment.durationSeconds += part.durationSeconds;
      resources.set(uri, [part.data]);
      changed();
    },
    endSegment() {
      const segment = open();
      assert(segment && segment.parts.length > 0, 'a segment needs parts');
      segment.complete = true;
      completeSegments++;
      resources.set(
        segment.uri,
        segment.parts.map((part) => part.data),
      );
      slide();
      changed();
    },
    end() {
      if (ended) return;
      ended = true;
      changed();
    },
    async waitFor(sequence, part, signal) {
      if (tooFar(sequence, part)) return 'too-far';
      return waiters.wait(() => has(sequence, part), blockedRequestMsMax, signal);
    },
    async resource(uri, signal) {
      if (uri === hintUri && !ended) {
        await waiters.wait(() => ended || resources.has(uri), blockedRequestMsMax, signal);
      }
      return resources.get(uri) ?? null;
    },
  };
}

function bytesOf(segments: readonly Segment[]): number {
  return segments
    .flatMap((segment) => segment.parts)
    .reduce((sum, part) => sum + part.data.length, 0);
}
