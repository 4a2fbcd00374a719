// Tests of held pictures: a source that sends seldom, or nothing, stops no playlist and breaks no rule.
import { beforeAll, describe, expect, test } from 'vitest';
import { renderMediaPlaylist } from '../hls/render-media-playlist.ts';
import { fragmentGaps, readFragments } from '../testing/fragment-reader.ts';
import { annexB, codedH264, decodeErrors, picturesOf, withBytes } from '../testing/media.ts';
import { playlistFaults, type ReadPlaylist, readPlaylist } from '../testing/playlist-reader.ts';
import { createPresentation } from './presentation.ts';
import { timelineStartMs } from './timeline.ts';

const startMs = Date.UTC(2030, 0, 1);
const tickMs = 10;
let coded: ReturnType<typeof picturesOf>;

beforeAll(async () => {
  coded = picturesOf(await codedH264({ seconds: 4, gop: 15 }));
});

interface Played {
  playlist: ReadPlaylist;
  faults: string[];
  fragments: ReturnType<typeof readFragments>;
  /** How old the end of the playlist was at worst. */
  behindMsMax: number;
  neededKeyframe: boolean;
  file: Buffer;
}

/** Plays pictures at their times, in milliseconds, with the clock going on until `untilMs`. */
async function play(
  options: { timesMs: number[]; untilMs: number; delayMs?: (index: number) => number },
  events: { [ms: number]: (presentation: ReturnType<typeof createPresentation>) => void } = {},
): Promise<Played> {
  const presentation = createPresentation({ nowMs: startMs });
  presentation.startRun({ videoLayers: 1, audio: false }, startMs);
  const { timesMs, delayMs = () => 50 } = options;
  const [playlist] = presentation.playlists;
  if (!playlist) throw new Error('no playlist');
  const read = () =>
    readPlaylist(renderMediaPlaylist(playlist.view(), { skip: false, reports: [] }));
  const faults = new Set<string>();
  let next = 0;
  let behindMsMax = 0;
  let neededKeyframe = false;
  for (let ms = 0; ms <= options.untilMs; ms += tickMs) {
    events[ms]?.(presentation);
    for (; (timesMs[next] ?? Number.POSITIVE_INFINITY) + delayMs(next) <= ms; next++) {
      const picture = coded[next % coded.length];
      if (!picture) break;
      const { data, key, config } = picture;
      const timeMs = timelineStartMs + (timesMs[next] ?? 0);
      const shape = { chunks: [data], bytes: data.length, key, timeMs, config };
      presentation.pushPicture(0, shape, startMs + ms);
    }
    presentation.tick(startMs + ms);
    neededKeyframe ||= presentation.needsKeyframe(0);
    if (ms % 200 > 0 || !playlist.edge()) continue;
    const seen = read();
    for (const fault of playlistFaults(seen)) faults.add(fault);
    const last = seen.segments.at(-1);
    const parts = last?.parts.reduce((sum, part) => sum + part.durationSeconds * 1_000, 0) ?? 0;
    const endMs = (last?.programDateTimeMs ?? 0) + (parts || (last?.durationSeconds ?? 0) * 1_000);
    behindMsMax = Math.max(behindMsMax, startMs + ms - endMs);
  }
  presentation.end();
  const segments = playlist.view().segments;
  const uris = segments.map((segment) => segment.address?.uri ?? '');
  const found = await Promise.all(uris.map((uri) => playlist.resource(uri)));
  const media = Buffer.concat(found.flatMap((each) => [...(each?.body ?? [])]));
  const init = (await playlist.resource(segments[0]?.initUri ?? ''))?.body ?? [];
  return {
    playlist: read(),
    faults: [...faults, ...playlistFaults(read())],
    fragments: readFragments(media),
    behindMsMax,
    neededKeyframe,
    file: Buffer.concat([...init, media]),
  };
}

async function expectUnbroken(played: Played): Promise<void> {
  expect(played.faults).toEqual([]);
  expect(new Set(fragmentGaps(played.fragments))).toEqual(new Set([0]));
  expect(await withBytes(played.file, decodeErrors)).toBe('');
}

const steady = (fromMs: number, toMs: number, intervalMs = 1_000 / 30) =>
  Array.from({ length: Math.ceil((toMs - fromMs) / intervalMs) }, (_, index) =>
    Math.round(fromMs + index * intervalMs),
  );

describe('a slow source', () => {
  test.each([1, 2, 3, 4, 4.5, 5, 6, 7, 8, 9, 11, 12, 13, 14])(
    'of %d pictures a second keeps all rules, and none of its pictures is left out',
    async (rate) => {
      const timesMs = steady(0, 8_000, 1_000 / rate);
      const played = await play({ timesMs, untilMs: 8_000 });
      await expectUnbroken(played);
      expect(played.neededKeyframe).toBe(false);
      expect(played.playlist.segments.every((each) => each.discontinuity === 0)).toBe(true);
      // One part that is being filled, the time after which a picture is overdue, and the network.
      expect(played.behindMsMax).toBeLessThan(220 + 220 + 50 + 2 * tickMs + 200);
    },
  );

  test('whose pictures come in bursts keeps all rules', async () => {
    const timesMs = steady(0, 8_000);
    // Every second the network holds pictures back for 400 ms.
    const delayMs = (index: number) => 50 + Math.max(0, 400 - ((timesMs[index] ?? 0) % 1_000));
    await expectUnbroken(await play({ timesMs, untilMs: 8_500, delayMs }));
  });
});

describe('a camera that stops', () => {
  test('is held in legal parts at the pace of the clock, with a segment to join at every few seconds', async () => {
    const played = await play({ timesMs: steady(0, 1_900), untilMs: 10_000 });
    await expectUnbroken(played);
    expect(played.playlist.independentSegments).toBe(true);
    const seconds = played.playlist.segments.reduce((sum, each) => sum + each.durationSeconds, 0);
    expect(seconds).toBeGreaterThan(9.5);
    expect(played.playlist.segments.some((each) => each.discontinuity > 0)).toBe(false);
    // Stills cost nothing: the part before the pause weighs most.
    expect(played.file.length / annexB(coded.slice(0, 57)).length).toBeLessThan(1.5);
  });

  test('and comes back is shown from its next keyframe on, which is asked for', async () => {
    // Picture 54 of a group that began with 45 is the last one; 55 to 59 cannot be shown.
    const timesMs = [...steady(0, 1_800), ...steady(6_000, 8_000)];
    const played = await play({ timesMs, untilMs: 8_500 });
    await expectUnbroken(played);
    expect(played.neededKeyframe).toBe(true);
    expect(played.playlist.segments.every((each) => each.discontinuity === 0)).toBe(true);
  });

  test('and comes back within two seconds goes on at once', async () => {
    const timesMs = [...steady(0, 1_800), ...steady(2_800, 5_000)];
    const played = await play({ timesMs, untilMs: 5_000 });
    await expectUnbroken(played);
    expect(played.neededKeyframe).toBe(false);
  });

  test('behind its first picture is held like any other', async () => {
    const played = await play({ timesMs: [0, ...steady(500, 2_500)], untilMs: 2_500 });
    await expectUnbroken(played);
    expect(played.playlist.segments[0]?.programDateTimeMs).toBe(startMs);
  });

  test('and leaves is shown on in the next run, behind one discontinuity', async () => {
    const timesMs = steady(0, 1_900);
    const played = await play(
      { timesMs, untilMs: 9_000 },
      {
        2000: (presentation) => {
          presentation.endRun();
          presentation.startRun({ videoLayers: 0, audio: true }, startMs + 2_000);
        },
      },
    );
    expect(played.faults).toEqual([]);
    expect(await withBytes(played.file, decodeErrors)).toBe('');
    const runs = new Set(played.playlist.segments.map((each) => each.discontinuity));
    expect(runs).toEqual(new Set([0, 1]));
    expect(played.behindMsMax).toBeLessThan(800);
  });
});

test('a machine that slept makes up for nothing', async () => {
  const timesMs = [...steady(0, 2_000), ...steady(600_000, 602_000)];
  const presentation = createPresentation({ nowMs: startMs });
  presentation.startRun({ videoLayers: 1, audio: false }, startMs);
  timesMs.forEach((ms, index) => {
    const picture = coded[index % coded.length];
    if (!picture) return;
    const { data, key, config } = picture;
    const timeMs = timelineStartMs + ms;
    presentation.pushPicture(
      0,
      { chunks: [data], bytes: data.length, key, timeMs, config },
      startMs + ms,
    );
  });
  const segments = presentation.playlists[0]?.view().segments ?? [];
  expect(segments.length).toBeLessThan(6);
  expect(segments.reduce((sum, each) => sum + each.discontinuities, 0)).toBe(1);
});

test('a source that changes its picture size all the time makes no swarm of segments', async () => {
  const other = picturesOf(await codedH264({ seconds: 1, gop: 15, width: 640, height: 360 }));
  const keys = [coded[0], other[0]];
  const presentation = createPresentation({ nowMs: startMs });
  presentation.startRun({ videoLayers: 1, audio: false }, startMs);
  for (let index = 0; index < 300; index++) {
    const picture = keys[index % 2];
    if (!picture) continue;
    const { data, config } = picture;
    const ms = index * 33;
    const timeMs = timelineStartMs + ms;
    presentation.pushPicture(
      0,
      { chunks: [data], bytes: data.length, key: true, timeMs, config },
      startMs + ms,
    );
  }
  presentation.end();
  expect(presentation.playlists[0]?.completeSegments).toBeLessThanOrEqual(Math.ceil(9.9 / 0.7));
});
