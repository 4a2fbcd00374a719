// Reports of ffmpeg: what is read from its lines, and what is made of those that are not understood.
import { describe, expect, test } from 'vitest';
import { createPacketReport, type ReportedPacket } from './packet-report.ts';
import { readSource } from './source-report.ts';

const sound = '  Stream #0:1: Audio: aac (LC), 48000 Hz, stereo, fltp, 128 kb/s';

function pictureOf(description: string) {
  return readSource(`Input #0, flv, from 'pipe:0':\n  Stream #0:0: Video: ${description}\n`)
    .picture;
}

describe('the source', () => {
  test.each([
    'h264 (High), yuv420p(tv, bt709, progressive), 1920x1080 [SAR 1:1 DAR 16:9], 60 fps',
    'h264 (Constrained Baseline), yuvj420p(pc), 640x360, 30 fps, 30 tbr, 1k tbn',
    'h264 (Main) ([27][0][0][0] / 0x001B), yuv420p(progressive), 1280x720, 30 fps',
  ])('is taken as it is: %s', (description) => {
    expect(pictureOf(description)).toEqual({ takenAsIs: true });
  });

  test.each([
    'h264 (High 4:4:4 Predictive), yuv444p, 640x360',
    'h264 (High 10), yuv420p10le(progressive), 640x360',
    'h264, none',
    'hevc (Main), yuv420p(tv), 640x360',
    'something new (h264 (High), yuv420p',
  ])('is encoded anew: %s', (description) => {
    expect(pictureOf(description)).toEqual({ takenAsIs: false });
  });

  test('may lack a picture or a sound; what stands after the input is not looked at', () => {
    expect(readSource(`${sound}\n`)).toEqual({ picture: null, hasSound: true });
    expect(readSource('  Stream #0:0: Audio: none\n')).toEqual({ picture: null, hasSound: false });
    expect(readSource(`Output #0, framecrc\n${sound}\n`).hasSound).toBe(false);
    expect(readSource('')).toEqual({ picture: null, hasSound: false });
  });
});

describe('packets', () => {
  const lines = [
    '#tb 0: 1/1000',
    '#media_type 0: video',
    '#tb 1: 1/90000',
    '#media_type 1: audio',
    '0,          5,          5,       33,     3104, 0x8118a630',
    '0,         38,         71,       33,      104, 0x8118a631, F=0x0',
    '1,       9000,       9000,     1920,       20, 0x0000a631, S=1, 8, 0x1',
    'nonsense',
    '7,          5,          5,       33,     3104, 0x8118a630',
  ].join('\n');

  test('are read in whatever pieces they come', () => {
    for (const size of [1, 7, 4_000]) {
      const packets: ReportedPacket[] = [];
      const report = createPacketReport((packet) => packets.push(packet));
      for (let at = 0; at < lines.length; at += size) report.hear(lines.slice(at, at + size));
      report.hear('\n');
      expect(packets).toEqual([
        { kind: 'video', dtsMs: 5, ptsMs: 5, isKey: true },
        { kind: 'video', dtsMs: 38, ptsMs: 71, isKey: false },
        { kind: 'audio', dtsMs: 100, ptsMs: 100, isKey: true },
      ]);
    }
  });
});
