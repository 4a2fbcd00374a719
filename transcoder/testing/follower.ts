// Follower for tests: reads one playlist of a stream as a player does, at the live edge and a few seconds behind.
import {
  changeFaults,
  playlistFaults,
  type ReadPlaylist,
  readPlaylist,
} from './playlist-reader.ts';

/** How far behind the live edge whole segments are fetched, as by a player that has fallen behind. */
export const behindSeconds = 5;

export interface Follower {
  /** What the playlists did wrong, and what could not be fetched of what they told. */
  readonly faults: ReadonlySet<string>;
  /** Every address of media that was told. */
  readonly known: ReadonlySet<string>;
  /** The latest version. */
  readonly playlist: ReadPlaylist | null;
  /** When the playlist was refused, by the clock of `performance`, and how; null while it is not. */
  readonly refusal: { atMs: number; status: number } | null;
  readonly counts: { versions: number; parts: number; behind: number };
  /** The longest time in which nothing new came. */
  readonly gapMsMax: number;
  stop(): Promise<void>;
}

export interface FollowerOptions {
  /** The address of the stream's folder, with a slash. */
  folder: string;
  name: string;
  ticket: string;
  /** Fetches parts and segments, too. */
  media: boolean;
}

export function startFollower(options: FollowerOptions): Follower {
  const faults = new Set<string>();
  const known = new Set<string>();
  const fetched = new Map<string, Promise<void>>();
  const counts = { versions: 0, parts: 0, behind: 0 };
  const stopping = new AbortController();
  let playlist: ReadPlaylist | null = null;
  let refusal: Follower['refusal'] = null;
  let gapMsMax = 0;
  let behindSequence: number | null = null;

  function fetchMedia(uri: string): void {
    if (!options.media || fetched.has(uri)) return;
    fetched.set(uri, fetchOnce(uri));
  }

  async function fetchOnce(uri: string): Promise<void> {
    try {
      const response = await fetch(`${options.folder}${uri}`, { signal: stopping.signal });
      const bytes = (await response.arrayBuffer()).byteLength;
      if (!response.ok || bytes === 0) faults.add(`${response.status} for ${uri}`);
      else if (uri.includes('/part-')) counts.parts++;
    } catch (error) {
      if (!stopping.signal.aborted) faults.add(`${uri}: ${error}`);
    }
  }

  /** The next whole segment that is far enough behind; none may be missing. */
  function fetchBehind(now: ReadPlaylist): void {
    let aheadSeconds = 0;
    for (const segment of [...now.segments].reverse()) {
      if (segment.uri !== null && aheadSeconds >= behindSeconds) {
        if (behindSequence !== null && segment.sequence > behindSequence + 1) {
          faults.add(`segment ${segment.sequence - 1} was missed`);
        }
        if (segment.sequence === behindSequence) return;
        behindSequence = segment.sequence;
        counts.behind++;
        fetchMedia(segment.uri);
        return;
      }
      const partsSeconds = segment.parts.reduce((sum, part) => sum + part.durationSeconds, 0);
      aheadSeconds += segment.durationSeconds || partsSeconds;
    }
  }

  function take(now: ReadPlaylist): void {
    for (const fault of playlistFaults(now)) faults.add(fault);
    if (playlist) for (const fault of changeFaults(playlist, now)) faults.add(fault);
    const parts = now.segments.flatMap((segment) => segment.parts.map((part) => part.uri));
    for (const segment of now.segments) if (segment.uri !== null) known.add(segment.uri);
    for (const uri of parts) {
      if (playlist && !known.has(uri)) fetchMedia(uri);
      known.add(uri);
    }
    if (now.hintUri) {
      known.add(now.hintUri);
      fetchMedia(now.hintUri);
    }
    fetchBehind(now);
    counts.versions++;
    playlist = now;
  }

  async function run(): Promise<void> {
    let cameMs = performance.now();
    while (!stopping.signal.aborted) {
      const query = playlist ? reloadQuery(playlist) : '';
      const url = `${options.folder}${options.name}.m3u8?ticket=${options.ticket}${query}`;
      const response = await fetch(url, { signal: stopping.signal });
      const text = await response.text();
      const nowMs = performance.now();
      if (!response.ok) {
        refusal = { atMs: nowMs, status: response.status };
        return;
      }
      gapMsMax = Math.max(gapMsMax, nowMs - cameMs);
      cameMs = nowMs;
      take(readPlaylist(text));
    }
  }

  const running = run().catch((error) => {
    if (!stopping.signal.aborted) faults.add(String(error));
  });

  return {
    faults,
    known,
    get playlist() {
      return playlist;
    },
    get refusal() {
      return refusal;
    },
    counts,
    get gapMsMax() {
      return gapMsMax;
    },
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(fetched.values());
    },
  };
}

/** Asks for the part behind the newest one. */
function reloadQuery(playlist: ReadPlaylist): string {
  const last = playlist.segments.at(-1);
  if (!last) return '';
  const sequence = last.uri === null ? last.sequence : last.sequence + 1;
  const part = last.uri === null ? last.parts.length : 0;
  return `&_HLS_msn=${sequence}&_HLS_part=${part}`;
}
