// Media playlist: the segments and parts of one rendition, as far as they are listed or still kept.
import { assert } from '#contract';
import { type Address, createAddresses, type Resource } from './addresses.ts';
import {
  blockedRequestMsMax,
  listedSecondsMin,
  playlistBytesMax,
  renewedPathMsMax,
  segmentsKeptMax,
  segmentsListedMax,
} from './limits.ts';
import { hasReached, isTooFar } from './reload-rules.ts';
import { bytesOf, type Part, type Segment, type SegmentOpening } from './segment.ts';
import { createWaiters, type WaitResult } from './waiters.ts';

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

/** Who waits for something: until when that makes sense. */
export interface Waiting {
  /** Its client has gone. */
  signal?: AbortSignal;
  /** It is to be sent away; asked whenever the playlist moves. */
  isOver?(): boolean;
}

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
  addPart(part: Omit<Part, keyof Address>): void;
  endSegment(): void;
  /** Nothing more will come. */
  end(): void;
  /**
   * Nobody who knows the addresses so far can follow by them: what comes lies elsewhere, but for the hinted part, and
   * what they know is gone soon, as fast as players at the live edge can do without it. Whoever waits is looked at.
   */
  renewPath(): void;
  /** Waits for a segment, or for one of its parts (RFC 8216bis, 6.2.5.2). */
  waitFor(
    sequence: number,
    part: number | null,
    waiting?: Waiting,
  ): Promise<WaitResult | FarFuture>;
  /** What lies at a URI; for the hinted part only once it is there. Null when there is no such thing. */
  resource(uri: string, signal?: AbortSignal): Promise<Resource | null>;
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

export function createMediaPlaylist(options: MediaPlaylistOptions): MediaPlaylist {
  const listedMax = options.segmentsListed ?? segmentsListedMax;
  const waiters = createWaiters();
  const addresses = createAddresses(options.name, options.newPathToken);
  const inits: string[] = [];
  let listed: Segment[] = [];
  let kept: Segment[] = [];
  let nextSequence = options.firstSequence;
  let discontinuitySequence = options.firstDiscontinuity;
  let completeSegments = 0;
  let version = 0;
  let ended = false;

  function changed(): void {
    version++;
    waiters.wake();
  }

  function open(): Segment | null {
    const last = listed.at(-1);
    return last && !last.address ? last : null;
  }

  function forget(segment: Segment): void {
    if (segment.address) addresses.forget(segment.address.uri);
    for (const part of segment.parts) addresses.forget(part.uri);
  }

  /** Whether the oldest segment has to go. */
  function mustGo(): boolean {
    const [oldest] = listed;
    if (!oldest?.address) return false;
    if (oldest.address.generation.over) return true;
    const complete = listed.filter((segment) => segment.address);
    if (complete.length > listedMax) return true;
    // If its time is running out, or there is too much of it, as soon as six seconds are left.
    const leftSeconds = complete.slice(1).reduce((sum, each) => sum + each.durationSeconds, 0);
    if (leftSeconds < listedSecondsMin) return false;
    return oldest.address.generation.ending || bytesOf(listed) > playlistBytesMax;
  }

  function slide(): void {
    while (mustGo()) {
      const [gone, ...rest] = listed;
      if (!gone) return;
      listed = rest;
      discontinuitySequence += gone.discontinuities;
      kept.push(gone);
    }
    // What has an end set goes by that.
    const staying = kept.filter((segment) => segment.address?.generation.ending).length;
    while (
      kept.length > segmentsKeptMax + staying ||
      bytesOf([...kept, ...listed]) > playlistBytesMax
    ) {
      const [gone, ...rest] = kept;
      if (!gone) break;
      kept = rest;
      forget(gone);
    }
    forgetInits();
  }

  function forgetInits(): void {
    const used = new Set([...kept, ...listed].map((segment) => segment.initUri));
    const newest = inits.at(-1);
    for (const uri of inits.splice(0)) {
      if (used.has(uri) || uri === newest) inits.push(uri);
      else addresses.forget(uri);
    }
  }

  /** The end of a generation has come: nothing of it may be listed any more, and nothing of it can be had. */
  function forgetOver(): void {
    addresses.forgetOver();
    slide();
    kept = kept.filter((segment) => !segment.address?.generation.over);
    for (const segment of listed) {
      segment.partsGone ||= segment.parts.some((part) => part.generation.over);
    }
    changed();
  }

  function edge(): PlaylistEdge | null {
    const last = listed.at(-1);
    if (!last) return null;
    return { sequence: last.sequence, part: last.parts.length - 1 };
  }

  return {
    name: options.name,
    view: () => ({
      name: options.name,
      segments: listed,
      discontinuitySequence,
      nextPartUri: addresses.hintUri,
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
      const uri = addresses.addInit(data);
      inits.push(uri);
      return uri;
    },
    beginSegment(opening) {
      assert(!open() && !ended, 'one segment at a time');
      addresses.openSegment();
      listed.push({
        ...opening,
        sequence: nextSequence++,
        address: null,
        parts: [],
        partsGone: false,
        durationSeconds: 0,
      });
    },
    addPart(part) {
      const segment = open();
      assert(segment, 'a part needs an open segment');
      segment.parts.push({ ...part, ...addresses.addPart(part.data) });
      segment.durationSeconds += part.durationSeconds;
      changed();
    },
    endSegment() {
      const segment = open();
      assert(segment && segment.parts.length > 0, 'a segment needs parts');
      completeSegments++;
      // Nobody was told where it would lie, so that a renewal while it was written concerns it, too.
      segment.address = addresses.addSegment(
        segment.sequence,
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
    renewPath() {
      const before = addresses.renew();
      if (before) {
        before.end(renewedPathMsMax);
        before.onOver(forgetOver);
        slide();
        version++;
      }
      waiters.wake();
    },
    async waitFor(sequence, part, { signal, isOver } = {}) {
      if (isTooFar(listed, { sequence, part }, { nextSequence, ended })) return 'too-far';
      const isReady = () => isOver?.() || ended || hasReached(listed, sequence, part);
      return waiters.wait(isReady, blockedRequestMsMax, signal);
    },
    async resource(uri, signal) {
      if (uri === addresses.hintUri && !ended) {
        const isReady = () => ended || addresses.get(uri) !== null;
        await waiters.wait(isReady, blockedRequestMsMax, signal);
      }
      return addresses.get(uri);
    },
  };
}
