// Arguments of ffmpeg, as ffmpeg understands them: what it may take of the machine.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { decodedPixelsMax, ffmpegThreads } from '../limits.ts';
import type { Track } from '../node/tracks.ts';
import { publishArguments } from './arguments.ts';
import { writeKeyFiles } from './key-files.ts';

const ffmpegBin = process.env.FFMPEG_BIN ?? 'ffmpeg';
const srtpKeyBase64 = Buffer.alloc(30, 7).toString('base64');
const track: Track = {
  kind: 'video',
  address: '127.0.0.1',
  port: 9,
  rtcpPort: 9,
  ssrc: 1,
  payloadType: 101,
  srtpKeyBase64,
};

function argumentsWith(keyFiles: readonly string[]): string[] {
  const tracks = [track];
  const encoding = { format: 'flv', encodesPicture: true, cname: 'test' } as const;
  return publishArguments({ ...encoding, tracks, keyFiles, startedAtMs: Date.now() });
}

function pictureOf(size: string): Buffer {
  const input = ['-f', 'lavfi', '-i', `color=size=${size}`, '-frames:v', '1'];
  const output = ['-c:v', 'flv', '-f', 'flv', '-'];
  return spawnSync(ffmpegBin, [...input, ...output], { maxBuffer: 10_000_000 }).stdout;
}

test('a picture that is too large is not decoded; one that is just not is', async () => {
  const keys = await writeKeyFiles([srtpKeyBase64]);
  const saidOf = (size: string) =>
    spawnSync(ffmpegBin, argumentsWith(keys.paths), {
      input: pictureOf(size),
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    }).stderr.toString();
  expect(saidOf('4096x2176')).toContain('exceeds specified max pixel count');
  expect(saidOf('4096x2160')).toBe('');
  await keys.remove();
});

test('decoding, filtering and encoding are bounded each', () => {
  const args = argumentsWith(['key']);
  const input = args.indexOf('-i');
  const threads = String(ffmpegThreads);
  expect(args.join(' ')).toContain(`-filter_threads ${threads} `);
  expect(args.slice(0, input).join(' ')).toContain(
    `-threads ${threads} -max_pixels ${decodedPixelsMax} `,
  );
  expect(args.slice(input).join(' ')).toContain(`libx264 -threads ${threads} `);
});
