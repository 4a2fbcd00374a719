// Tests of the presentation: fixed pictures and sound in, playlists to the letter out.
import { describe, expect, test } from 'vitest';
import type { AvcConfig } from '../codec/avc-config.ts';
import { renderMediaPlaylist } from '../hls/render-media-playlist.ts';
import { readPlaylist } from '../testing/playlist-reader.ts';
import { createPresentation, type Presentation } from './presentation.ts';
import { timelineStartMs } from './timeline.ts';

const startMs = Date.UTC(2030, 0, 2, 3, 4, 5);
const firstNumber = (startMs - Date.UTC(2025, 0, 1)) / 1_000;
const soundConfig = { specificConfig: Buffer.from([0x11, 0x90]), sampleRate: 48_000, channels: 2 };

const configOf = (width: number): AvcConfig => ({
  record: Buffer.from([1, 66, 0, 30, 0xff, width & 0xff]),
  codec: 'avc1.42001e',
  width,
  height: 180,
});

interface Stage {
  presentation: Presentation;
  /** A picture, `ms` after the start. */
  picture(ms: number, key: boolean, width?: number): void;
  /** AAC frames that begin between these times, in milliseconds after the start. */
  sound(fromMs: number, toMs: number): void;
  text(name: string): string;
}

function setUp(): Stage {
  const presentation = createPresentation({ newPathToken: () => 'token', nowMs: startMs });
  return {
    presentation,
    picture(ms, key, width = 320) {
      const timeMs = timelineStartMs + ms;
      const config = configOf(width);
      presentation.pushPicture(
        0,
        { chunks: [Buffer.alloc(500)], bytes: 500, key, timeMs, config },
        startMs + ms,
      );
    },
    sound(fromMs, toMs) {
      for (let frame = Math.ceil((fromMs * 48) / 1_024); frame * 1_024 < toMs * 48; frame++) {
        const startSamples = timelineStartMs * 48 + frame * 1_024;
        const nowMs = startMs + (frame * 1_024) / 48 + 80;
        presentation.pushSound(Buffer.alloc(300), soundConfig, startSamples, nowMs);
      }
    },
    text(name) {
      const playlist = presentation.playlists.find((each) => each.name === name);
      if (!playlist) throw new Error('no such playlist');
      return renderMediaPlaylist(playlist.view(), { skip: false, reports: [] });
    },
  };
}

/** `seconds` of pictures and sound, interleaved as they would come. */
function play(stage: Stage, fromMs: number, seconds: number, width = 320): void {
  for (let frame = 0; frame < seconds * 25; frame++) {
    const ms = fromMs + frame * 40;
    stage.picture(ms, frame % 25 === 0, width);
    stage.sound(ms - 100, ms - 60);
  }
}

test('fixed input gives this text', () => {
  const stage = setUp();
  stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs);
  play(stage, 0, 2);
  stage.presentation.endRun();
  const parts = (name: string, from: number, durations: string[], independent: 'all' | 'first') =>
    durations
      .map((duration, index) => {
        const flag = independent === 'all' || index === 0 ? ',INDEPENDENT=YES' : '';
        const uri = `token/${name}/part-${from + index}.m4s`;
        return `#EXT-X-PART:DURATION=${duration},URI="${uri}"${flag}\n`;
      })
      .join('');
  const head = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.660,HOLD-BACK=6.000,CAN-SKIP-UNTIL=12.000
#EXT-X-PART-INF:PART-TARGET=0.22000
#EXT-X-MEDIA-SEQUENCE:${firstNumber}
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
`;
  expect(stage.text('video0')).toBe(`${head}#EXT-X-MAP:URI="token/video0/init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2030-01-02T03:04:05.000Z
${parts('video0', 0, Array(5).fill('0.20000'), 'first')}#EXTINF:1.00000,
token/video0/segment-${firstNumber}.m4s
#EXT-X-PROGRAM-DATE-TIME:2030-01-02T03:04:06.000Z
${parts('video0', 5, Array(5).fill('0.20000'), 'first')}#EXTINF:1.00000,
token/video0/segment-${firstNumber + 1}.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="token/video0/part-10.m4s"
`);
  // 47 frames of 1,024 samples reach from 0 to 1,002.67 ms; the next frame edge is the nearest to 1,000 ms.
  const full = '0.21333';
  expect(stage.text('audio')).toBe(`${head}#EXT-X-MAP:URI="token/audio/init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2030-01-02T03:04:05.000Z
${parts('audio', 0, [full, full, full, full, '0.14933'], 'all')}#EXTINF:1.00267,
token/audio/segment-${firstNumber}.m4s
#EXT-X-PROGRAM-DATE-TIME:2030-01-02T03:04:06.002Z
${parts('audio', 5, [full, full, full, full, '0.06400'], 'all')}#EXTINF:0.91733,
token/audio/segment-${firstNumber + 1}.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="token/audio/part-10.m4s"
`);
});

describe('a segment', () => {
  const durations = (stage: Stage) =>
    readPlaylist(stage.text('video0')).segments.map((each) => each.durationSeconds.toFixed(2));

  test('does not begin at a keyframe that somebody else asked for shortly after a cut', () => {
    const stage = setUp();
    stage.presentation.startRun({ videoLayers: 1, audio: false }, startMs);
    for (let frame = 0; frame <= 60; frame++)
      stage.picture(frame * 40, [0, 10, 30, 60].includes(frame));
    stage.presentation.endRun();
    expect(durations(stage)).toEqual(['1.20', '1.20', '0.04']);
  });

  test('is cut without a keyframe before it would break the target duration', () => {
    const stage = setUp();
    stage.presentation.startRun({ videoLayers: 1, audio: false }, startMs);
    for (let frame = 0; frame <= 100; frame++) stage.picture(frame * 40, frame === 0);
    stage.presentation.endRun();
    const playlist = readPlaylist(stage.text('video0'));
    expect(playlist.segments.every((each) => Math.round(each.durationSeconds) <= 2)).toBe(true);
    expect(playlist.segments.map((each) => each.parts[0]?.independent)).toEqual([true, false]);
    expect(playlist.independentSegments).toBe(false);
  });

  test('of sound goes on by itself while there are no pictures', () => {
    const stage = setUp();
    stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs);
    play(stage, 0, 1);
    stage.sound(900, 6_000);
    const playlist = readPlaylist(stage.text('audio'));
    expect(playlist.segments.length).toBeGreaterThan(2);
    expect(playlist.segments.every((each) => Math.round(each.durationSeconds) <= 2)).toBe(true);
  });
});

describe('a break', () => {
  const places = (stage: Stage, name: string) =>
    readPlaylist(stage.text(name)).segments.map((each) => each.discontinuity);

  test('between two runs shows in all playlists alike', () => {
    const stage = setUp();
    stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs);
    play(stage, 0, 2);
    stage.presentation.endRun();
    stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs + 5_000);
    play(stage, 5_000, 2);
    expect(new Set(places(stage, 'video0'))).toEqual(new Set([0, 1]));
    expect(new Set(places(stage, 'audio'))).toEqual(new Set([0, 1]));
  });

  test('without media between it and the next one is one', () => {
    const stage = setUp();
    stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs);
    play(stage, 0, 2);
    for (const ms of [3_000, 4_000, 5_000]) {
      stage.presentation.endRun();
      stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs + ms);
    }
    play(stage, 5_000, 2);
    expect(new Set(places(stage, 'video0'))).toEqual(new Set([0, 1]));
  });

  test('of the picture size shows in the sound as well, and brings a new init segment', () => {
    const stage = setUp();
    stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs);
    play(stage, 0, 2, 320);
    play(stage, 2_000, 2, 640);
    expect(places(stage, 'video0')).toEqual([0, 0, 1, 1]);
    expect(new Set(places(stage, 'audio'))).toEqual(new Set([0, 1]));
    expect(stage.text('video0')).toContain('init-2.mp4');
    expect(stage.text('audio')).not.toContain('init-2.mp4');
  });

  test('of the clocks is one', () => {
    const stage = setUp();
    stage.presentation.startRun({ videoLayers: 1, audio: false }, startMs);
    play(stage, 0, 2);
    play(stage, 8_000, 2);
    expect(places(stage, 'video0')).toEqual([0, 0, 1, 1]);
  });

  test('of a track that joins later is counted before it began', () => {
    const stage = setUp();
    stage.presentation.startRun({ videoLayers: 0, audio: true }, startMs);
    stage.sound(0, 3_000);
    stage.presentation.endRun();
    stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs + 3_000);
    play(stage, 3_000, 2);
    expect(new Set(places(stage, 'video0'))).toEqual(new Set([1]));
    expect(new Set(places(stage, 'audio'))).toEqual(new Set([0, 1]));
  });
});

test('sound older than the first picture is left out', () => {
  const stage = setUp();
  stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs);
  stage.sound(0, 700);
  play(stage, 700, 2);
  const [first] = readPlaylist(stage.text('audio')).segments;
  expect(Math.abs((first?.programDateTimeMs ?? 0) - (startMs + 700))).toBeLessThan(22);
});

test('a stream whose pictures never come is sound after a while', () => {
  const stage = setUp();
  stage.presentation.startRun({ videoLayers: 1, audio: true }, startMs);
  stage.sound(0, 3_000);
  expect(stage.presentation.master('')).toBeNull();
  stage.sound(3_000, 6_000);
  expect(stage.presentation.master('?ticket=t')).toContain('audio.m3u8?ticket=t');
});
