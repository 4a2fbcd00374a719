// Tests of the depacketisers, on what a real encoder makes.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createBitWriter, escapeNal } from '../codec/bit-writer.ts';
import { type CodedVideo, codedH264, codedVp8, picturesOf } from '../testing/media.ts';
import { h264Packets, type RtpStream, vp8Packets } from '../testing/rtp-sender.ts';
import { createAv1Depacketiser } from './av1.ts';
import { type AccessUnit, createH264Depacketiser } from './h264.ts';
import { type RtpPacket, readRtp } from './packet.ts';
import type { CodedPicture, DepacketiserEvents, ForeignPicture } from './picture.ts';
import { createVp8Depacketiser } from './vp8.ts';
import { createVp9Depacketiser } from './vp9.ts';

let h264: CodedVideo;
let vp8: CodedVideo;

beforeAll(async () => {
  [h264, vp8] = await Promise.all([
    codedH264({ seconds: 1, gop: 15, width: 640, height: 360 }),
    codedVp8({ seconds: 1, gop: 15, width: 640, height: 360 }),
  ]);
});

function stream(): RtpStream {
  return { payloadType: 96, ssrc: 7, clockRate: 90_000, sequence: 0, timestampBase: 0 };
}

function read(datagram: Buffer): RtpPacket {
  const packet = readRtp(datagram);
  if (!packet) throw new Error('not RTP');
  return packet;
}

type Depacketiser = ReturnType<typeof createH264Depacketiser>;

interface Outcome<T> {
  pictures: T[];
  losses: number;
  /** Which frames came out. */
  frames: number[];
}

/** Runs frames through a depacketiser; packets for which `keep` says no are lost. */
function run<T extends CodedPicture>(
  create: (events: DepacketiserEvents<T>) => Depacketiser,
  packetsOf: (sender: RtpStream, frame: number) => Buffer[],
  keep: (frame: number, packet: number) => boolean,
): Outcome<T> {
  const pictures: T[] = [];
  let losses = 0;
  const depacketiser = create({
    onPicture: (picture) => pictures.push(picture),
    onLoss: () => losses++,
  });
  const sender = stream();
  let lost = 0;
  for (let frame = 0; frame < 30; frame++) {
    packetsOf(sender, frame).forEach((datagram, index) => {
      if (!keep(frame, index)) {
        lost++;
        return;
      }
      depacketiser.push(read(datagram), lost);
      lost = 0;
    });
  }
  return { pictures, losses, frames: pictures.map((each) => Math.round(each.timestamp / 3_000)) };
}

const runH264 = (keep: (frame: number, packet: number) => boolean) =>
  run<AccessUnit>(
    createH264Depacketiser,
    (sender, frame) => h264Packets(sender, h264.frames[frame] ?? [], frame / 30),
    keep,
  );

const runVp8 = (keep: (frame: number, packet: number) => boolean) =>
  run<ForeignPicture>(
    createVp8Depacketiser,
    (sender, frame) =>
      vp8Packets(sender, vp8.frames[frame]?.[0] ?? Buffer.alloc(0), frame, frame / 30),
    keep,
  );

describe('H.264', () => {
  test('comes out as the encoder made it', () => {
    const { pictures } = runH264(() => true);
    const coded = picturesOf(h264);
    expect(pictures).toHaveLength(coded.length);
    pictures.forEach((picture, index) => {
      const expected = coded[index]?.data ?? Buffer.alloc(0);
      expect(Buffer.concat(picture.chunks).equals(expected)).toBe(true);
      expect(picture.bytes).toBe(expected.length);
      expect(picture.key).toBe(index % 15 === 0);
    });
    expect(pictures[0]?.config).toMatchObject({ width: 640, height: 360 });
  });

  test('after a loss waits for the next keyframe', () => {
    const { frames, losses } = runH264((frame, packet) => frame !== 5 || packet !== 0);
    expect(frames).toEqual([...range(0, 5), ...range(15, 30)]);
    expect(losses).toBe(1);
  });

  test('loses nothing but the picture group when its last packet is lost', () => {
    const lastOf5 = h264Packets(stream(), h264.frames[5] ?? [], 0).length - 1;
    const { frames } = runH264((frame, packet) => frame !== 5 || packet !== lastOf5);
    expect(frames).toEqual([...range(0, 5), ...range(15, 30)]);
  });

  test('takes a whole keyframe that comes right behind a loss', () => {
    const { frames } = runH264((frame) => frame !== 14);
    expect(frames).toEqual([...range(0, 14), ...range(15, 30)]);
  });

  test('does not take a keyframe with a hole', () => {
    const { frames } = runH264((frame, packet) => frame !== 15 || packet !== 2);
    expect(frames).toEqual(range(0, 15));
  });

  test('begins with a keyframe', () => {
    expect(runH264((frame) => frame > 3).frames).toEqual(range(15, 30));
  });

  test('whose parameter sets never came, or are absurd, is not shown', () => {
    const slicesOnly = (nals: Buffer[]) => nals.filter((nal) => (nal.readUInt8(0) & 0x1f) < 6);
    const keyframe = h264.frames[0] ?? [];
    const [sps = Buffer.alloc(0)] = keyframe;
    // A million macroblocks wide.
    const huge = createBitWriter();
    for (const value of [0, 0, 2, 1]) huge.ue(value);
    huge.bits(0, 1);
    for (const value of [1_000_000, 10]) huge.ue(value);
    huge.bits(8, 4);
    const wide = escapeNal(Buffer.concat([sps.subarray(0, 4), huge.finish()]));
    for (const nals of [
      slicesOnly(keyframe),
      [wide, ...keyframe.slice(1)],
      [sps.subarray(0, 5), ...keyframe.slice(1)],
      // Longer than a configuration record can say.
      [Buffer.concat([sps, Buffer.alloc(70_000, 1)]), ...keyframe.slice(1)],
    ]) {
      const pictures: AccessUnit[] = [];
      const depacketiser = createH264Depacketiser({
        onPicture: (picture) => pictures.push(picture),
        onLoss() {},
      });
      for (const payload of fuA(nals))
        depacketiser.push({ payload, marker: false, timestamp: 1 }, 0);
      depacketiser.push({ payload: Buffer.from([9, 0xf0]), marker: true, timestamp: 1 }, 0);
      expect(pictures).toEqual([]);
    }
  });
});

describe('VP8', () => {
  test('comes out as the encoder made it', () => {
    const { pictures } = runVp8(() => true);
    expect(pictures.map((picture) => Buffer.concat(picture.chunks))).toEqual(
      vp8.frames.map(([frame]) => frame),
    );
    expect(pictures[0]).toMatchObject({ key: true, size: { width: 640, height: 360 } });
    expect(pictures[1]).toMatchObject({ key: false, size: null });
  });

  test('after a loss waits for the next keyframe', () => {
    const { frames, losses } = runVp8((frame, packet) => frame !== 5 || packet !== 0);
    expect(frames).toEqual([...range(0, 5), ...range(15, 30)]);
    expect(losses).toBe(1);
  });

  test('takes a whole keyframe that comes right behind a loss', () => {
    const { frames } = runVp8((frame) => frame !== 14);
    expect(frames).toEqual([...range(0, 14), ...range(15, 30)]);
  });

  test('does not take a keyframe with a hole', () => {
    const { frames } = runVp8((frame, packet) => frame !== 15 || packet !== 1);
    expect(frames).toEqual(range(0, 15));
  });
});

/** NAL units in FU-As, whatever they are. */
function fuA(nals: readonly Buffer[]): Buffer[] {
  return nals.flatMap((nal) => {
    const head = nal.readUInt8(0);
    const last = Math.max(1, Math.ceil((nal.length - 1) / 1_000)) - 1;
    return Array.from({ length: last + 1 }, (_, index) => {
      const flags = (index === 0 ? 0x80 : 0) | (index === last ? 0x40 : 0);
      const body = nal.subarray(1 + index * 1_000, 1 + (index + 1) * 1_000);
      return Buffer.concat([Buffer.from([(head & 0xe0) | 28, flags | (head & 0x1f)]), body]);
    });
  });
}

describe('hostile input', () => {
  const creations: [string, (events: DepacketiserEvents<CodedPicture>) => Depacketiser][] = [
    ['H.264', createH264Depacketiser],
    ['VP8', createVp8Depacketiser],
    ['VP9', createVp9Depacketiser],
    ['AV1', createAv1Depacketiser],
  ];

  test.each(creations)('of %s: garbage is survived', (_name, create) => {
    const depacketiser = create({ onPicture() {}, onLoss() {} });
    for (let seed = 0; seed < 5_000; seed++) {
      const payload = Buffer.from(
        Array.from({ length: seed % 40 }, (_, index) => (seed * 31 + index * 17) & 0xff),
      );
      depacketiser.push({ payload, marker: seed % 3 === 0, timestamp: seed >> 2 }, seed % 7);
    }
  });

  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;

  // A picture that never ends: its first payload, and the one that is sent again and again.
  const endless: [string, number, number[], number[]][] = [
    ['an FU-A', 0, [0x7c, 0x85], [0x7c, 0x05]],
    ['a row of slices', 0, [0x65, 0x88], [0x65, 0x88]],
    ['a VP8 frame', 1, [0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00], [0x00]],
    ['a VP9 picture', 2, [0x0a, 0x10, 0x01, 0x40, 0x00, 0xb4, 0x82], [0x00]],
    ['an OBU', 3, [0x50, 0x0a, 0x01], [0xd0, 0x01]],
    ['a row of OBUs', 3, [0x10, 0x32, 0x01], [0x10, 0x32]],
  ];

  test.each(endless)(
    '%s that never ends does not fill the memory',
    async (_name, codec, ...parts) => {
      const [opening, head] = parts;
      const depacketiser = creations[codec]?.[1]({ onPicture() {}, onLoss() {} });
      depacketiser?.push({ payload: Buffer.from(opening), marker: false, timestamp: 1 }, 0);
      for (let index = 0; index < 30_000; index++) {
        // Each packet has memory of its own, as from a socket.
        const payload = Buffer.from(new ArrayBuffer(8_192));
        payload.set(head);
        depacketiser?.push({ payload, marker: false, timestamp: 1 }, 0);
      }
      await vi.waitFor(() => {
        collectGarbage();
        expect(process.memoryUsage().arrayBuffers).toBeLessThan(64 * 1024 * 1024);
      });
      // It is in use until here: what was measured is what it keeps.
      depacketiser?.push({ payload: Buffer.from(head), marker: true, timestamp: 1 }, 0);
    },
  );
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
