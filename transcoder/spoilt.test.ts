// Tests of streams that things happen to: loss, broken links, other pictures, dead encoders.
import { describe, expect, test } from 'vitest';
import { capture, until, withFile } from './testing/bench.ts';
import { expectWhole, runsOf } from './testing/expectations.ts';
import { codedH264, codedVp8, decodeErrors, probePackets } from './testing/media.ts';
import { setStage } from './testing/stage.ts';

const timeoutMs = 60_000;
const stage = setStage();

describe.concurrent('a spoilt stream', () => {
  test('that is reordered and doubled comes out whole', { timeout: timeoutMs }, async (context) => {
    const held = { video: [] as Buffer[], audio: [] as Buffer[] };
    let count = 0;
    const stream = await stage.open(context, {
      spoil(datagram, kind) {
        count++;
        // Every seventh packet comes after the next one, every fifth comes twice. The last packet of a picture
        // stays in its place: nobody knows how long the next one takes on a busy machine.
        const last = ((datagram[1] ?? 0) & 0x80) !== 0;
        if (count % 7 === 0 && !last) {
          held[kind].push(datagram);
          return [];
        }
        const out = [datagram, ...held[kind].splice(0)];
        return count % 5 === 0 ? [...out, datagram] : out;
      },
    });
    const pictures = await capture(stream, 'video0', 4);
    await withFile(pictures, async (file) => {
      expect(await decodeErrors(file)).toBe('');
      const { packets } = await probePackets(file);
      const seconds = (packets.at(-1)?.ptsSeconds ?? 0) - (packets[0]?.ptsSeconds ?? 0);
      expect(packets.length).toBeGreaterThanOrEqual(Math.floor(seconds * 30));
    });
  });

  test('that loses packets never shows a broken picture, and recovers', {
    timeout: timeoutMs,
  }, async (context) => {
    let count = 0;
    const stream = await stage.open(context, {
      keyframes: true,
      spoil: (datagram, kind) => (kind === 'video' && ++count % 97 === 0 ? [] : [datagram]),
    });
    const keyframesBefore = stream.sfu.counts.keyframes;
    const pictures = await capture(stream, 'video0', 6);
    await withFile(pictures, async (file) => {
      expect(await decodeErrors(file)).toBe('');
      const { packets } = await probePackets(file);
      const seconds = (packets.at(-1)?.ptsSeconds ?? 0) - (packets[0]?.ptsSeconds ?? 0);
      // Some pictures are missing, most are there: the stream did not wait for whole seconds.
      expect(packets.length).toBeGreaterThan(seconds * 30 * 0.6);
    });
    expect(stream.sfu.counts.keyframes).toBeGreaterThan(keyframesBefore + 2);
  });

  test('whose pictures change size goes on behind a discontinuity', {
    timeout: timeoutMs,
  }, async (context) => {
    const other = await codedH264({ seconds: 4, width: 640, height: 360 });
    const stream = await stage.open(context);
    await capture(stream, 'video0', 2);
    stream.publisher.switchVideo(other);
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 6),
      capture(stream, 'audio', 6),
    ]);
    expect(runsOf(pictures)).toHaveLength(2);
    expect(runsOf(sound)).toEqual(runsOf(pictures));
    for (const run of runsOf(pictures)) await expectWhole(pictures, run);
    expect(pictures.inits.size).toBe(2);
    expect(await (await stream.get('master.m3u8')).text()).toContain('RESOLUTION=640x360');
  });

  test('whose link is cut taps again with a new ticket and goes on', {
    timeout: timeoutMs,
  }, async (context) => {
    const stream = await stage.open(context);
    await capture(stream, 'video0', 2);
    stream.sfu.drop();
    await until('a second tap', () => stream.sfu.counts.taps === 2);
    const [pictures, sound] = await Promise.all([
      capture(stream, 'video0', 7),
      capture(stream, 'audio', 7),
    ]);
    expect(runsOf(pictures)).toHaveLength(2);
    expect(runsOf(sound)).toEqual(runsOf(pictures));
    for (const run of runsOf(pictures)) {
      await expectWhole(pictures, run);
      await expectWhole(sound, run);
    }
    expect(new Set(stream.sfu.tickets).size).toBe(2);
    expect(pictures.faults).toEqual([]);
  });

  test('whose audio encoder is killed loses no sample', { timeout: timeoutMs }, async (context) => {
    const stream = await stage.open(context);
    await capture(stream, 'audio', 2);
    const [pid] = stream.job().encoderPids;
    if (!pid) throw new Error('no encoder');
    process.kill(pid, 'SIGKILL');
    const sound = await capture(stream, 'audio', 6);
    expect(runsOf(sound)).toHaveLength(1);
    expect(sound.faults).toEqual([]);
    await expectWhole(sound);
    expect(stream.job().encoderPids).not.toContain(pid);
  });

  test('whose audio encoder hangs is served by a new one', {
    timeout: timeoutMs,
  }, async (context) => {
    const stream = await stage.open(context);
    const [pid] = stream.job().encoderPids;
    if (!pid) throw new Error('no encoder');
    process.kill(pid, 'SIGSTOP');
    await until('a new encoder', () => {
      const [now] = stream.job().encoderPids;
      return now !== undefined && now !== pid;
    });
    const sound = await capture(stream, 'audio', 6);
    expect(runsOf(sound)).toHaveLength(1);
    await expectWhole(sound);
  });

  test('of VP8 whose encoder is killed goes on at the next keyframe', {
    timeout: timeoutMs,
  }, async (context) => {
    const vp8 = await codedVp8({ seconds: 4, gop: 15 });
    const stream = await stage.open(context, { video: vp8, only: 'video' });
    await capture(stream, 'video0', 2);
    const [pid] = stream.job().encoderPids;
    if (!pid) throw new Error('no encoder');
    process.kill(pid, 'SIGKILL');
    const pictures = await capture(stream, 'video0', 6);
    await withFile(pictures, async (file) => expect(await decodeErrors(file)).toBe(''));
  });
});
