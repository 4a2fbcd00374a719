// Tests of renewed names: who was sent away cannot follow, and nobody else notices.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  changeFaults,
  playlistFaults,
  type ReadPlaylist,
  readPlaylist,
} from '../testing/playlist-reader.ts';
import { renewedPathMsMax, segmentsListedMax } from './limits.ts';
import { createMediaPlaylist } from './media-playlist.ts';
import { renderMediaPlaylist } from './render-media-playlist.ts';

const partMs = 200;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A playlist that grows by a part every 200 ms of a clock that the test moves. */
function startStream({ segmentParts = 5 } = {}) {
  let names = 0;
  let parts = 0;
  const playlist = createMediaPlaylist({
    name: 'video0',
    newPathToken: () => `name-${++names}`,
    firstSequence: 100,
    firstDiscontinuity: 0,
  });
  const initUri = playlist.addInit(Buffer.from('init'));
  const render = (skip: boolean) =>
    readPlaylist(renderMediaPlaylist(playlist.view(), { skip, reports: [] }));

  function addPart(): void {
    const opens = parts % segmentParts === 0;
    if (opens && parts > 0) playlist.endSegment();
    if (opens) {
      // A break now and then, so that its count has to be kept.
      const discontinuities = parts > 0 && parts % (6 * segmentParts) === 0 ? 1 : 0;
      playlist.beginSegment({ initUri, discontinuities, programDateTimeMs: Date.now() });
    }
    const data = Buffer.from(`part ${parts++}`);
    playlist.addPart({ durationSeconds: partMs / 1_000, independent: opens, data });
  }

  return {
    playlist,
    initUri,
    read: (skip = false) => render(skip),
    /** Lets so much time pass; calls back after each part. */
    async run(ms: number, look: () => void | Promise<void> = () => {}): Promise<void> {
      for (let ranMs = 0; ranMs < ms; ranMs += partMs) {
        await vi.advanceTimersByTimeAsync(partMs);
        addPart();
        await look();
      }
    },
    /** The addresses that a player may fetch. */
    told: () => addressesIn(render(false)),
  };
}

/** Without the hint: that part is not there yet. */
function addressesIn(playlist: ReadPlaylist): string[] {
  return playlist.segments.flatMap((segment) => [
    ...(segment.uri === null ? [] : [segment.uri]),
    ...segment.parts.map((part) => part.uri),
  ]);
}

type Running = ReturnType<typeof startStream>;

async function deadOf({ playlist }: Running, uris: string[]): Promise<string[]> {
  const found = await Promise.all(uris.map((uri) => playlist.resource(uri)));
  return uris.filter((_, index) => found[index] === null);
}

/** Looks at every version of a playlist as a player does. */
function createWatcher(stream: Running) {
  const faults = new Set<string>();
  let before = stream.read();
  return {
    faults,
    async look(): Promise<void> {
      const [whole, delta] = [stream.read(), stream.read(true)];
      for (const fault of [...playlistFaults(whole), ...changeFaults(before, whole)]) {
        faults.add(fault);
      }
      // What a delta update leaves out its player knows; the rest is what the whole playlist says.
      const [first] = delta.segments;
      const skipsUnknown = !before.segments.some((each) => each.sequence === first?.sequence);
      const from = delta.text.indexOf('#EXT-X-PROGRAM-DATE-TIME');
      if (skipsUnknown || !whole.text.endsWith(delta.text.slice(from))) faults.add('delta');
      for (const uri of await deadOf(stream, addressesIn(whole))) faults.add(`dead: ${uri}`);
      before = whole;
    },
  };
}

describe('when the path is renewed', () => {
  test.each([0, 1, 2, 3, 4])(
    'the playlist stays valid while it is shortened, %i parts into a segment',
    async (parts) => {
      const stream = startStream();
      await stream.run(30_000 + parts * partMs);
      const { faults, look } = createWatcher(stream);
      stream.playlist.renewPath();
      await look();
      expect(stream.read().segments.length).toBeLessThanOrEqual(8);
      await stream.run(30_000, look);
      expect([...faults]).toEqual([]);
      expect(stream.read().segments.length).toBeGreaterThan(segmentsListedMax);
    },
  );

  test('the hinted part keeps its address, and whatever follows has another name', async () => {
    const stream = startStream();
    await stream.run(25_400);
    const told = stream.told();
    const hint = stream.read().hintUri ?? '';
    const [name = ''] = hint.split('/');
    const next = hint.replace(/\d+(?=\.m4s)/, (number) => String(Number(number) + 1));
    stream.playlist.renewPath();
    expect(stream.read().hintUri).toBe(hint);
    await stream.run(3_000, async () => {
      expect(await deadOf(stream, [next])).toEqual([next]);
      const fresh = stream.told().filter((uri) => !told.includes(uri) && uri !== hint);
      expect(fresh.filter((uri) => uri.startsWith(`${name}/`))).toEqual([]);
    });
    expect(await deadOf(stream, [hint])).toEqual([]);
  });

  test('what was told before is dead in time, to the last address, and not before', async () => {
    const stream = startStream();
    await stream.run(25_400);
    const known = [...stream.told(), stream.read().hintUri ?? ''];
    stream.playlist.renewPath();
    await stream.run(renewedPathMsMax - partMs);
    expect(await deadOf(stream, known)).toEqual([]);
    await stream.run(partMs);
    expect(await deadOf(stream, known)).toEqual(known);
    expect(await deadOf(stream, [stream.initUri])).toEqual([]);
  });

  test('those who are at an address when it ends hear of it', async () => {
    const stream = startStream();
    await stream.run(10_000);
    const resource = await stream.playlist.resource(stream.told()[0] ?? '');
    expect(resource?.generation.leftMs).toBe(Number.POSITIVE_INFINITY);
    let over = 0;
    resource?.generation.onOver(() => over++);
    const stop = resource?.generation.onOver(() => over++);
    stop?.();
    stream.playlist.renewPath();
    expect(resource?.generation.leftMs).toBe(renewedPathMsMax);
    await stream.run(renewedPathMsMax - partMs);
    expect(over).toBe(0);
    await stream.run(partMs);
    expect(over).toBe(1);
  });

  test('once more, before anything new was told, nothing changes', async () => {
    const stream = startStream();
    await stream.run(10_000);
    stream.playlist.renewPath();
    const { version } = stream.playlist;
    stream.playlist.renewPath();
    expect(stream.playlist.version).toBe(version);
    await stream.run(partMs);
    const { hintUri } = stream.read();
    stream.playlist.renewPath();
    await stream.run(partMs);
    expect(stream.read().hintUri?.split('/')[0]).not.toBe(hintUri?.split('/')[0]);
  });

  test('those who wait and are over by now are let go, and the others wait on', async () => {
    const stream = startStream();
    await stream.run(10_000);
    const [last] = stream.read().segments.slice(-1);
    const sequence = (last?.sequence ?? 0) + 1;
    let [isOver, left] = [false, false];
    const leaving = stream.playlist.waitFor(sequence, 0, { isOver: () => isOver });
    const staying = stream.playlist.waitFor(sequence, 0).then(() => {
      left = true;
    });
    isOver = true;
    stream.playlist.renewPath();
    await leaving;
    expect(left).toBe(false);
    await stream.run(2_000);
    await staying;
  });
});

describe('a storm of renewals', () => {
  test('leaves a valid playlist of six seconds', async () => {
    const stream = startStream();
    await stream.run(30_000);
    const { faults, look } = createWatcher(stream);
    await stream.run(30_000, async () => {
      stream.playlist.renewPath();
      await look();
    });
    expect([...faults]).toEqual([]);
    // And is forgotten, address by address.
    await stream.run(40_000, look);
    expect([...faults]).toEqual([]);
    expect(stream.read().segments.length).toBeGreaterThan(segmentsListedMax);
  });

  test('lists nothing dead where no keyframes come and segments are long', async () => {
    const stream = startStream({ segmentParts: 12 });
    await stream.run(48_000);
    const { faults, look } = createWatcher(stream);
    await stream.run(30_000, async () => {
      stream.playlist.renewPath();
      await look();
    });
    // Parts may go a little before six seconds are over: the whole segment is there.
    expect([...faults].filter((fault) => !fault.endsWith('parts are gone too early'))).toEqual([]);
  });
});

test('a stream on which nothing comes any more still forgets, and goes on elsewhere', async () => {
  const stream = startStream();
  await stream.run(25_000);
  const hint = stream.read().hintUri ?? '';
  const told = stream.told();
  stream.playlist.renewPath();
  stream.playlist.endSegment();
  await vi.advanceTimersByTimeAsync(renewedPathMsMax);
  expect(await deadOf(stream, told)).toEqual(told);
  expect(stream.read().hintUri).not.toBe(hint);
  const listed = stream.told();
  expect(await deadOf(stream, listed)).toEqual([]);
});
