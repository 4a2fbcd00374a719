// ffmpeg as a process: what is told of its end.
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Ffmpeg } from './ffmpeg.ts';
import { createLastWords } from './last-words.ts';

const ffmpegBin = process.env.FFMPEG_BIN ?? 'ffmpeg';

async function endOf(bin: string, args: readonly string[]): Promise<[string, Ffmpeg]> {
  const ffmpeg = Ffmpeg.start(bin, args);
  const [why] = await once(ffmpeg, 'exit');
  return [why, ffmpeg];
}

test('an end comes with the error that was its reason', async () => {
  const args = ['-hide_banner', '-loglevel', 'error', '-f', 'flv', '-i', '/nowhere/at/all.flv'];
  const [why] = await endOf(ffmpegBin, args);
  expect(why).toMatch(/^code 1: .*No such file or directory/);
  expect(why).not.toContain('nowhere');
});

test('the error is known however much was said before, and so is the beginning', async () => {
  const talk = 'echo begun >&2; yes talk | head -c 100000 >&2; echo the reason >&2; exit 3';
  const [why, ffmpeg] = await endOf('/bin/sh', ['-c', talk]);
  expect(why).toBe('code 3: talk; the reason');
  expect(ffmpeg.said).toMatch(/^begun\ntalk/);
  expect(ffmpeg.said.length).toBe(16_000);
});

test('an end without a word is told as it is', async () => {
  expect((await endOf('/bin/sh', ['-c', 'exit 2']))[0]).toBe('code 2');
});

test.each([
  ['Error in line srtp_out_params=3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ', 'Error in line …'],
  ['key 3q2/7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ', 'key …'],
  ['live/lpk_0123456789012345678901234567890123456789abc gone', '… gone'],
  ['lpk_0123456789-12345678901234567890123456789abc: gone', '…: gone'],
  ['/tmp/livepanty-bridge-x1/0.ffpreset: Permission denied', '… Permission denied'],
  ['srtp://10.0.0.4:4000?rtcpport=4001: refused', '… refused'],
])('neither keys nor paths are in it: %s', (line, told) => {
  const words = createLastWords();
  for (const char of `${line}\n`) words.hear(char);
  expect(words.text).toBe(told);
});
