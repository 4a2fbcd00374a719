// The bridge with real encoders and a real node: what is pushed by RTMP or SRT is seen and heard in the room.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { plainH264 } from './testing/encoder.ts';
import { patient, useStage } from './testing/stage.ts';

const stage = useStage();
const profileHigh = 100;
const profileBaseline = 66;
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];

describe.each(['rtmp', 'srt'] as const)('by %s', (protocol) => {
  test('picture and sound come into the room without loss, the picture as it was sent', async () => {
    const { key } = stage.edge.keyFor(stage.scene.stream);
    stage.push(protocol, key, { video: ['-c:v', 'libx264', '-bf', '0', '-g', '30'] });
    const { seen } = await stage.watched();
    await expect.poll(() => seen.pictures, patient).toBeGreaterThan(60);
    await expect.poll(() => seen.soundPackets, patient).toBeGreaterThan(90);
    expect(seen).toMatchObject({ gaps: 0, profile: profileHigh });
    expect(seen.keyframes).toBeGreaterThanOrEqual(2);
    expect(stage.relay().encodesPicture).toBe(false);
    expect(stage.edge.asked.at(-1)).toBe(`${protocol} 127.0.0.1`);
    expect(stage.scene.room.report).toMatchObject({ publishing: true, videoCodec: 'H264' });
  });

  test('a picture with B-frames is encoded anew, in order and with a keyframe a second', async () => {
    const { key } = stage.edge.keyFor(stage.scene.stream);
    stage.push(protocol, key, { video: [...x264, '-bf', '3', '-g', '60'] });
    const { seen } = await stage.watched();
    await expect.poll(() => seen.pictures, patient).toBeGreaterThan(75);
    expect(seen).toMatchObject({ gaps: 0, profile: profileBaseline });
    expect(seen.keyframes).toBeGreaterThanOrEqual(2);
    // Pictures out of order would step back.
    expect(Math.min(...seen.pictureSteps)).toBeGreaterThan(0);
    expect(stage.relay().encodesPicture).toBe(true);
  });
});

test('HEVC is encoded anew', async () => {
  const { key } = stage.edge.keyFor(stage.scene.stream);
  const video = [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=none:keyint=30',
  ];
  stage.push('srt', key, { video, size: '320x180' });
  const { seen } = await stage.watched();
  await expect.poll(() => seen.pictures, patient).toBeGreaterThan(30);
  expect(seen.profile).toBe(profileBaseline);
});

test('a picture whose keyframes are too rare is encoded anew as soon as that shows', async () => {
  const { key } = stage.edge.keyFor(stage.scene.stream);
  stage.push('rtmp', key, { video: [...x264, '-bf', '0', '-g', '180', '-sc_threshold', '0'] });
  await stage.untilPublished();
  const encodes = () => stage.relay().encodesPicture;
  expect(encodes()).toBe(false);
  await expect.poll(encodes, patient).toBe(true);
  const { seen } = await stage.watched();
  await expect.poll(() => seen.keyframes, patient).toBeGreaterThan(1);
});

test('OBS may write publish: before the key of SRT', async () => {
  const { key } = stage.edge.keyFor(stage.scene.stream);
  stage.push('srt', `publish:${key}`);
  await stage.untilPublished();
});

test('the key is told to the edge alone: no log has it, nor any command line', async () => {
  const { key } = stage.edge.keyFor(stage.scene.stream);
  stage.push('rtmp', key);
  await stage.watched();
  const commandLine = readFileSync(`/proc/${stage.relay().ffmpegPid}/cmdline`, 'utf8');
  expect(commandLine).toContain('srtp://127.0.0.1');
  expect(commandLine).not.toContain(key);
  expect(commandLine).not.toContain('srtp_out_params');
  expect(stage.logged.join()).not.toContain(key);
});

describe('ffmpeg', () => {
  test('that is killed is started again, and the room goes on', async () => {
    const { key } = stage.edge.keyFor(stage.scene.stream);
    stage.push('rtmp', key, { video: plainH264 });
    const before = await stage.watched();
    await expect.poll(() => before.seen.pictures, patient).toBeGreaterThan(10);
    const { ffmpegPid = 0 } = stage.relay();
    process.kill(ffmpegPid, 'SIGKILL');
    await expect.poll(() => stage.relay().ffmpegPid ?? ffmpegPid, patient).not.toBe(ffmpegPid);
    const { seen } = await stage.watched();
    await expect.poll(() => seen.pictures, patient).toBeGreaterThan(30);
    await expect.poll(() => seen.soundPackets, patient).toBeGreaterThan(30);
  });

  test('that is stuck is noticed within two seconds', async () => {
    const { key } = stage.edge.keyFor(stage.scene.stream);
    stage.push('srt', key);
    const before = await stage.watched();
    await expect.poll(() => before.seen.pictures, patient).toBeGreaterThan(10);
    const { ffmpegPid = 0 } = stage.relay();
    process.kill(ffmpegPid, 'SIGSTOP');
    const stoppedAtMs = performance.now();
    await expect.poll(() => stage.relay().ffmpegPid ?? ffmpegPid, patient).not.toBe(ffmpegPid);
    expect(performance.now() - stoppedAtMs).toBeLessThan(2_000);
    const { seen } = await stage.watched();
    await expect.poll(() => seen.pictures, patient).toBeGreaterThan(30);
  });
});
