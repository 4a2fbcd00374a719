// Tests of the media playlist: its text to the letter, its window, and who has to wait for what.
import { describe, expect, test } from 'vitest';
import { playlistBytesMax, segmentsPerPathMax } from './limits.ts';
import { createMediaPlaylist, type MediaPlaylist } from './media-playlist.ts';
import { renderMediaPlaylist } from './render-media-playlist.ts';
import { waitersMax } from './waiters.ts';

const startMs = Date.UTC(2030, 0, 2, 3, 4, 5);

interface Filled {
  playlist: MediaPlaylist;
  initUri: string;
  /** Opens a segment with `parts` parts of 200 ms. */
  segment(
    parts: number,
    more?: { discontinuities?: number; initUri?: string; open?: boolean },
  ): void;
}

function setUp(segmentsListed?: number, newPathToken = () => 'token'): Filled {
  const playlist = createMediaPlaylist({
    name: 'video0',
    newPathToken,
    firstSequence: 100,
    firstDiscontinuity: 7,
    ...(segmentsListed ? { segmentsListed } : {}),
  });
  const initUri = playlist.addInit(Buffer.from('init'));
  let atMs = startMs;
  return {
    playlist,
    initUri,
    segment(parts, more = {}) {
      playlist.beginSegment({
        initUri: more.initUri ?? initUri,
        discontinuities: more.discontinuities ?? 0,
        programDateTimeMs: atMs,
      });
      for (let part = 0; part < parts; part++) {
        const data = Buffer.from(`${atMs}.${part}`);
        playlist.addPart({ durationSeconds: 0.2, independent: part === 0, data });
      }
      atMs += parts * 200;
      if (!more.open) playlist.endSegment();
    },
  };
}

function text(playlist: MediaPlaylist, skip = false): string {
  return renderMediaPlaylist(playlist.view(), {
    skip,
    reports: [{ uri: 'audio.m3u8', sequence: 101, part: 2 }],
  });
}

const head = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.660,HOLD-BACK=6.000,CAN-SKIP-UNTIL=12.000
#EXT-X-PART-INF:PART-TARGET=0.22000
`;

describe('the text', () => {
  test('of a running stream', () => {
    const { playlist, segment } = setUp();
    segment(2);
    segment(1, { open: true });
    expect(text(playlist)).toBe(`${head}#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-DISCONTINUITY-SEQUENCE:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="token/video0/init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2030-01-02T03:04:05.000Z
#EXT-X-PART:DURATION=0.20000,URI="token/video0/part-0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.20000,URI="token/video0/part-1.m4s"
#EXTINF:0.40000,
token/video0/segment-100.m4s
#EXT-X-PROGRAM-DATE-TIME:2030-01-02T03:04:05.400Z
#EXT-X-PART:DURATION=0.20000,URI="token/video0/part-2.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="token/video0/part-3.m4s"
#EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=101,LAST-PART=2
`);
  });

  test('with a discontinuity and another init segment, and after the end', () => {
    const { playlist, segment } = setUp();
    segment(1);
    const other = playlist.addInit(Buffer.from('other'));
    segment(1, { discontinuities: 1, initUri: other });
    playlist.end();
    expect(text(playlist)).toBe(`${head}#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-DISCONTINUITY-SEQUENCE:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="token/video0/init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2030-01-02T03:04:05.000Z
#EXT-X-PART:DURATION=0.20000,URI="token/video0/part-0.m4s",INDEPENDENT=YES
#EXTINF:0.20000,
token/video0/segment-100.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="token/video0/init-2.mp4"
#EXT-X-PROGRAM-DATE-TIME:2030-01-02T03:04:05.200Z
#EXT-X-PART:DURATION=0.20000,URI="token/video0/part-1.m4s",INDEPENDENT=YES
#EXTINF:0.20000,
token/video0/segment-101.m4s
#EXT-X-ENDLIST
#EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=101,LAST-PART=2
`);
  });

  test('lists parts for three target durations, and segments alone before', () => {
    const { playlist, segment } = setUp();
    for (let index = 0; index < 10; index++) segment(5);
    const lines = text(playlist).split('\n');
    expect(lines.filter((line) => line.startsWith('#EXT-X-PART:'))).toHaveLength(7 * 5);
    expect(lines.filter((line) => line.startsWith('#EXTINF'))).toHaveLength(10);
  });

  test('as a delta update leaves out what is older than the skip boundary', () => {
    const { playlist, segment } = setUp();
    for (let index = 0; index < 18; index++) segment(5);
    const delta = text(playlist, true);
    expect(delta).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=5\n');
    expect(delta).not.toContain('segment-104.m4s');
    expect(delta).toContain('segment-105.m4s');
    // What follows the skipped segments is word for word what the whole playlist says.
    const from = delta.indexOf('#EXT-X-PROGRAM-DATE-TIME');
    expect(text(playlist)).toContain(delta.slice(from));
  });

  test('as a delta update is whole when nothing is old enough', () => {
    const { playlist, segment } = setUp();
    for (let index = 0; index < 12; index++) segment(5);
    expect(text(playlist, true)).toBe(text(playlist));
  });

  test('does not call segments independent when one was cut without a keyframe', () => {
    const { playlist, segment, initUri } = setUp();
    segment(1);
    playlist.beginSegment({ initUri, discontinuities: 0, programDateTimeMs: startMs });
    playlist.addPart({ durationSeconds: 0.2, independent: false, data: Buffer.alloc(1) });
    expect(text(playlist)).not.toContain('INDEPENDENT-SEGMENTS');
  });
});

describe('the window', () => {
  test('slides, and counts the discontinuities that leave it', () => {
    const { playlist, segment } = setUp(3);
    segment(1);
    segment(1, { discontinuities: 1 });
    for (let index = 0; index < 4; index++) segment(1);
    const view = playlist.view();
    expect(view.segments.map((each) => each.sequence)).toEqual([103, 104, 105]);
    expect(view.discontinuitySequence).toBe(8);
  });

  test('keeps what has just left it, and forgets it later', async () => {
    const { playlist, segment, initUri } = setUp(3);
    segment(2);
    const [first] = playlist.view().segments;
    for (let index = 0; index < 4; index++) segment(1);
    expect((await playlist.resource(first?.address?.uri ?? ''))?.body).toHaveLength(2);
    for (let index = 0; index < 6; index++) segment(1);
    expect(await playlist.resource(first?.address?.uri ?? '')).toBeNull();
    expect(await playlist.resource(first?.parts[0]?.uri ?? '')).toBeNull();
    expect((await playlist.resource(initUri))?.body).toHaveLength(1);
  });

  test('forgets init segments that no segment needs', async () => {
    const { playlist, segment, initUri } = setUp(3);
    segment(1);
    const other = playlist.addInit(Buffer.from('other'));
    for (let index = 0; index < 12; index++) segment(1, { initUri: other });
    expect(await playlist.resource(initUri)).toBeNull();
    expect(await playlist.resource(other)).not.toBeNull();
  });
});

describe('addresses', () => {
  const namesOf = (playlist: MediaPlaylist) => [
    ...new Set(playlist.view().segments.map((segment) => segment.address?.uri.split('/')[0])),
  ];

  test('get a new name every few segments, and the hinted part keeps its own', async () => {
    let names = 0;
    const { playlist, segment, initUri } = setUp(60, () => `name-${++names}`);
    for (let index = 0; index < 2 * segmentsPerPathMax + 1; index++) {
      const hint = playlist.view().nextPartUri;
      segment(2);
      expect(playlist.view().segments.at(-1)?.parts[0]?.uri).toBe(hint);
    }
    expect(initUri).toContain('name-1/');
    expect(namesOf(playlist)).toEqual(['name-2', 'name-3', 'name-4']);
    const { segments } = playlist.view();
    for (const { address, parts } of segments) {
      for (const uri of [address?.uri ?? '', ...parts.map((part) => part.uri)]) {
        expect(await playlist.resource(uri)).not.toBeNull();
      }
    }
    // Counting on with an old name leads nowhere.
    const newest = segments.at(-1)?.address?.uri ?? '';
    for (const name of ['name-1', 'name-2', 'name-3']) {
      expect(await playlist.resource(newest.replace('name-4', name))).toBeNull();
      expect(
        await playlist.resource(playlist.view().nextPartUri.replace('name-4', name)),
      ).toBeNull();
    }
  });
});

test('segments of unreasonable size are kept for six seconds, not for twenty', async () => {
  const { playlist, initUri } = setUp();
  const uris: string[] = [];
  for (let index = 0; index < 30; index++) {
    playlist.beginSegment({
      initUri,
      discontinuities: 0,
      programDateTimeMs: startMs + index * 1_000,
    });
    const data = Buffer.alloc(4_000_000);
    playlist.addPart({ durationSeconds: 1, independent: true, data });
    playlist.endSegment();
    uris.push(playlist.view().segments.at(-1)?.address?.uri ?? '');
  }
  const found = await Promise.all(uris.map((uri) => playlist.resource(uri)));
  const keptBytes = found.filter((each) => each !== null).length * 4_000_000;
  expect(keptBytes).toBeLessThanOrEqual(playlistBytesMax);
  expect(playlist.view().segments.length).toBeGreaterThanOrEqual(6);
});

describe('a blocking reload', () => {
  test('returns once the part is there, and not before', async () => {
    const { playlist, segment, initUri } = setUp();
    segment(2);
    let state = 'waiting';
    const reload = playlist.waitFor(101, 0).then((result) => {
      state = result;
    });
    await Promise.resolve();
    expect(state).toBe('waiting');
    playlist.beginSegment({ initUri, discontinuities: 0, programDateTimeMs: startMs });
    await Promise.resolve();
    expect(state).toBe('waiting');
    playlist.addPart({ durationSeconds: 0.2, independent: true, data: Buffer.alloc(1) });
    await reload;
    expect(state).toBe('ready');
  });

  test('for a whole segment waits for its end', async () => {
    const { playlist, segment } = setUp();
    segment(1, { open: true });
    let state = 'waiting';
    const reload = playlist.waitFor(100, null).then((result) => {
      state = result;
    });
    playlist.addPart({ durationSeconds: 0.2, independent: false, data: Buffer.alloc(1) });
    await Promise.resolve();
    expect(state).toBe('waiting');
    playlist.endSegment();
    await reload;
    expect(state).toBe('ready');
  });

  test('for a part behind the end of a segment waits for the first part of the next', async () => {
    const { playlist, segment } = setUp();
    segment(3);
    let state = 'waiting';
    const reload = playlist.waitFor(100, 3).then((result) => {
      state = result;
    });
    await Promise.resolve();
    expect(state).toBe('waiting');
    segment(1, { open: true });
    await reload;
    expect(state).toBe('ready');
  });

  test('for what is there, or long gone, returns at once', async () => {
    const { playlist, segment } = setUp(3);
    for (let index = 0; index < 6; index++) segment(2);
    expect(await playlist.waitFor(105, 1)).toBe('ready');
    expect(await playlist.waitFor(100, 0)).toBe('ready');
  });

  test('too far ahead is refused', async () => {
    const { playlist, segment } = setUp();
    segment(2);
    expect(await playlist.waitFor(103, null)).toBe('too-far');
    expect(await playlist.waitFor(101, 20)).toBe('too-far');
  });

  test('returns when the stream ends, or its client goes', async () => {
    const { playlist, segment } = setUp();
    segment(2);
    const gone = new AbortController();
    const leaving = playlist.waitFor(101, 0, { signal: gone.signal });
    const staying = playlist.waitFor(101, 0);
    gone.abort();
    expect(await leaving).toBe('timeout');
    playlist.end();
    expect(await staying).toBe('ready');
  });

  test('is refused when too many wait', async () => {
    const { playlist, segment } = setUp();
    segment(2);
    const waiting = Array.from({ length: waitersMax }, () => playlist.waitFor(101, 0));
    expect(await playlist.waitFor(101, 0)).toBe('full');
    playlist.end();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['ready']));
  });
});

describe('a hinted part', () => {
  test('is waited for, also when it opens the next segment', async () => {
    const { playlist, segment } = setUp();
    segment(2);
    const hint = playlist.view().nextPartUri;
    const fetched = playlist.resource(hint);
    segment(1, { open: true });
    expect(String((await fetched)?.body[0])).toBe(`${startMs + 400}.0`);
  });

  test('that never comes is not there', async () => {
    const { playlist, segment } = setUp();
    segment(2);
    const fetched = playlist.resource(playlist.view().nextPartUri);
    playlist.end();
    expect(await fetched).toBeNull();
  });

  test('is the only one that is waited for', async () => {
    const { playlist, segment } = setUp();
    segment(2);
    expect(await playlist.resource('token/video0/part-3.m4s')).toBeNull();
    expect(await playlist.resource('token/video0/segment-101.m4s')).toBeNull();
  });
});
