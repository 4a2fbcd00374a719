// Tests of whole streams: RTP in at the pace of the clock, LL-HLS out, read back by ffmpeg.
import { describe, expect, test } from 'vitest';
import { capture, until, withFile } from './testing/bench.ts';
import { beepTimes, expectWhole, flashTimes, runsOf } from './testing/expectations.ts';
import { codedH264, codedOpus, codedVp8, decodeErrors } from './testing/media.ts';
import { setStage } from './testing/stage.ts';

const timeoutMs = 60_000;
const stage = setStage();

describe.concurrent('a stream', () => {
  test('comes out as clean CMAF in playlists that keep the rules', {
    timeout: timeoutMs,
  }, async (context) => {
    const stream = await stage.open(context);
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 6),
      capture(stream, 'audio', 6),
    ]);
    await expectWhole(pictures);
    await expectWhole(sound);
    expect(pictures.faults).toEqual([]);
    expect(sound.faults).toEqual([]);
  });

  test('cuts sound where it cuts pictures', { timeout: timeoutMs }, async (context) => {
    const stream = await stage.open(context);
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 5),
      capture(stream, 'audio', 5),
    ]);
    const apartMs = [...pictures.segments].flatMap(([sequence, segment]) => {
      const beside = sound.segments.get(sequence);
      return beside ? [Math.abs(beside.startMs - segment.startMs)] : [];
    });
    // At most one AAC frame (21.3 ms) apart. While the clocks find each other, and when pictures come so late
    // that sound cannot wait for them, it may be a few more.
    apartMs.sort((a, b) => a - b);
    expect(apartMs.length).toBeGreaterThan(3);
    expect(apartMs[Math.floor(apartMs.length / 2)]).toBeLessThan(22);
    expect(apartMs.at(-1)).toBeLessThan(70);
  });

  test('keeps sound and pictures within 40 ms', { timeout: timeoutMs }, async (context) => {
    const [flashing, beeping] = await Promise.all([
      codedH264({ seconds: 4, flashes: true }),
      codedOpus({ seconds: 4, beeps: true }),
    ]);
    // Pictures leave 80 ms later than sound, as from a camera with a slow encoder.
    const stream = await stage.open(context, { video: flashing, audio: beeping, videoDelayMs: 80 });
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 9),
      capture(stream, 'audio', 9),
    ]);
    const flashes = await withFile(pictures, (file) => flashTimes(file));
    const beeps = await withFile(sound, (file) => beepTimes(file));
    // The first second may still be finding its place, and the last tone may not have been captured.
    const judged = flashes.slice(1).filter((flash) => flash < (beeps.at(-1) ?? 0) + 0.5);
    expect(judged.length).toBeGreaterThan(1);
    for (const flash of judged) {
      const nearest = Math.min(...beeps.map((beep) => Math.abs(beep - flash)));
      expect(nearest).toBeLessThan(0.04);
    }
  });

  test('dates its segments with the time of capture', { timeout: timeoutMs }, async (context) => {
    const stream = await stage.open(context);
    const pictures = await capture(stream, 'video0', 5);
    const last = [...pictures.segments.values()].at(-1);
    // Keyframes are captured at whole seconds after the start.
    const sinceStart = ((last?.startMs ?? 0) - stream.publisher.startedMs) / 1_000;
    expect(Math.abs(sinceStart - Math.round(sinceStart))).toBeLessThan(0.03);
  });

  test('goes on when timestamps wrap', { timeout: timeoutMs }, async (context) => {
    // Video wraps after three seconds, audio after five and a half.
    const timestampBase = 2 ** 32 - 270_000;
    const stream = await stage.open(context, { timestampBase });
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 7),
      capture(stream, 'audio', 7),
    ]);
    expect(runsOf(pictures)).toHaveLength(1);
    await expectWhole(pictures);
    await expectWhole(sound);
  });

  test('without a microphone is a stream of pictures', { timeout: timeoutMs }, async (context) => {
    const stream = await stage.open(context, { only: 'video' });
    const pictures = await capture(stream, 'video0', 4);
    expect(pictures.faults).toEqual([]);
    await expectWhole(pictures);
    const master = await (await stream.get('master.m3u8')).text();
    expect(master).not.toContain('AUDIO');
    expect(master).toMatch(/CODECS="avc1\.[0-9a-f]{6}"/);
  });

  test('without a camera is a stream of sound', { timeout: timeoutMs }, async (context) => {
    const stream = await stage.open(context, { only: 'audio' });
    const sound = await capture(stream, 'audio', 4);
    expect(sound.faults).toEqual([]);
    await expectWhole(sound);
    const master = await (await stream.get('master.m3u8')).text();
    expect(master).toContain('CODECS="mp4a.40.2"\naudio.m3u8?ticket=');
  });

  test('with a muted microphone goes on in silence', { timeout: timeoutMs }, async (context) => {
    const stream = await stage.open(context);
    await capture(stream, 'audio', 2);
    stream.publisher.muteAudio(true);
    const muted = await stream.playlist('audio');
    const from = muted.segments.at(-1)?.sequence ?? 0;
    await until('silence is packaged', async () => {
      const newest = (await stream.playlist('audio')).segments.at(-1)?.sequence ?? 0;
      return newest >= from + 3;
    });
    stream.publisher.muteAudio(false);
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 8),
      capture(stream, 'audio', 8),
    ]);
    expect(sound.faults).toEqual([]);
    await expectWhole(sound);
    await expectWhole(pictures);
  });

  test('whose camera sends nothing for a while, and then leaves, goes on with a still picture', {
    timeout: timeoutMs,
  }, async (context) => {
    const stream = await stage.open(context, { keyframes: true });
    await capture(stream, 'video0', 2);
    stream.publisher.muteVideo(true);
    const pausing = await Promise.all([capture(stream, 'video0', 6), capture(stream, 'audio', 6)]);
    stream.sfu.setSources(['microphone']);
    await until('a second tap', () => stream.sfu.counts.taps === 2);
    await until(
      'a second run',
      async () => runsOf(await capture(stream, 'video0', 1)).length === 2,
    );
    const gone = await Promise.all([capture(stream, 'video0', 9), capture(stream, 'audio', 9)]);
    stream.publisher.muteVideo(false);
    stream.sfu.setSources(['microphone', 'camera']);
    await until('a third tap', () => stream.sfu.counts.taps === 3);
    await until('a third run', async () => runsOf(await capture(stream, 'video0', 1)).length === 3);
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 14),
      capture(stream, 'audio', 14),
    ]);
    for (const each of [...pausing, ...gone, pictures, sound]) expect(each.faults).toEqual([]);
    expect(runsOf(sound)).toEqual(runsOf(pictures));
    for (const run of runsOf(pictures)) {
      await expectWhole(sound, run);
      await withFile(pictures, async (file) => expect(await decodeErrors(file)).toBe(''), run);
    }
  });

  test('whose microphone leaves goes on in silence', { timeout: timeoutMs }, async (context) => {
    const stream = await stage.open(context);
    await capture(stream, 'audio', 2);
    stream.sfu.setSources(['camera']);
    await until('a second tap', () => stream.sfu.counts.taps === 2);
    await until('a second run', async () => runsOf(await capture(stream, 'audio', 1)).length === 2);
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 8),
      capture(stream, 'audio', 8),
    ]);
    expect([...pictures.faults, ...sound.faults]).toEqual([]);
    expect(runsOf(sound)).toEqual(runsOf(pictures));
    for (const run of runsOf(sound)) await expectWhole(sound, run);
  });

  test('whose microphone never sends is a stream with silence', {
    timeout: timeoutMs,
  }, async (context) => {
    const stream = await stage.open(context, { atOnce: true });
    stream.publisher.muteAudio(true);
    await stream.ready();
    const sound = await capture(stream, 'audio', 4);
    await expectWhole(sound);
  });

  test('of VP8 is encoded to H.264', { timeout: timeoutMs }, async (context) => {
    const vp8 = await codedVp8({ seconds: 4 });
    const stream = await stage.open(context, { video: vp8 });
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 5),
      capture(stream, 'audio', 5),
    ]);
    await expectWhole(pictures);
    await expectWhole(sound);
    expect(pictures.faults).toEqual([]);
    expect(await (await stream.get('master.m3u8')).text()).toMatch(/avc1\.[0-9a-f]{6},mp4a\.40\.2/);
  });
});
