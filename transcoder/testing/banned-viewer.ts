// Banned viewer for tests: goes on with whatever addresses it was told, and with what can be counted on from them.
import type { Follower } from './follower.ts';

export interface BannedViewer {
  /** How long after the ban a playlist was last to be had, and the last byte of media. */
  playlistMs: number;
  lastByteMs: number;
  /** How many parts or segments more could be had than were told, by counting on. */
  guessedMax: number;
  /** For how long a cache might have answered at most. */
  cachedMs: number;
  /** Addresses that were told and are not dead at the end. */
  left: string[];
}

/** Of how many addresses that it was told a viewer tries again and again; all others are looked at in the end. */
const triedMax = 6;
const pollMs = 250;

/** Tries for so long after the ban, which has just been told; `follower` has read the playlist until then. */
export async function measureBan(
  follower: Follower,
  folder: string,
  forMs: number,
): Promise<BannedViewer> {
  const startMs = performance.now();
  const found = { lastByteMs: 0, cachedMs: 0, guessedMax: 0 };

  async function fetchBytes(uri: string): Promise<boolean> {
    const response = await fetch(`${folder}${uri}`);
    const bytes = (await response.arrayBuffer()).byteLength;
    if (response.status !== 200 || bytes === 0) return false;
    const atMs = performance.now() - startMs;
    const age = /max-age=(\d+)/.exec(response.headers.get('cache-control') ?? '');
    found.lastByteMs = Math.max(found.lastByteMs, atMs);
    found.cachedMs = Math.max(found.cachedMs, atMs + Number(age?.[1]) * 1_000);
    return true;
  }

  for (;;) {
    const told = spread([...follower.known]);
    await Promise.all([
      ...told.map(fetchBytes),
      ...countedOn([...follower.known]).map(async ({ uri, more }) => {
        if (await fetchBytes(uri)) found.guessedMax = Math.max(found.guessedMax, more);
      }),
    ]);
    if (performance.now() - startMs > forMs) break;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const { refusal } = follower;
  if (!refusal) throw new Error('the playlist was never refused');
  const all = [...follower.known];
  const alive = await Promise.all(all.map(fetchBytes));
  return {
    ...found,
    playlistMs: refusal.atMs - startMs,
    left: all.filter((_, index) => alive[index]),
  };
}

/** The newest half and some of the older ones. */
function spread(uris: string[]): string[] {
  const newest = uris.slice(-triedMax / 2);
  const step = Math.max(1, Math.floor(uris.length / (triedMax / 2)));
  return [...newest, ...uris.filter((_, index) => index % step === 0).slice(0, triedMax / 2)];
}

/** Addresses that would come next under the newest name that is known. */
function countedOn(uris: string[]): { uri: string; more: number }[] {
  const next = (kind: string, steps: number[]) => {
    const newest = uris.findLast((uri) => uri.includes(`/${kind}-`)) ?? '';
    const [, before, number] = /^(.*-)(\d+)\.m4s$/.exec(newest) ?? [];
    return steps.map((more) => ({ uri: `${before}${Number(number) + more}.m4s`, more }));
  };
  return [...next('part', [1, 2, 3, 4, 8]), ...next('segment', [1, 2])];
}
