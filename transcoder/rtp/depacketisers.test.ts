// Tests of the depacketisers, on what a real encoder makes.
import { beforeAll, describe, expect, test } from 'vitest';
import { type CodedVideo, codedH264, codedVp8 } from '../testing/media.ts';
import { h264Packets, type RtpStream, vp8Packets } from '../testing/rtp-sender.ts';
import { type AccessUnit, createH264Depacketiser } from './h264.ts';
import { type RtpPacket, readRtp } from './packet.ts';
import { createVp8Depacketiser, type Vp8Frame } from './vp8.ts';

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

/** The AVCC form of the slices of an access unit. */
function avcc(nals: Buffer[]): Buffer {
  const slices = nals.filter((nal) => ![7, 8].includes((nal[0] ?? 0) & 0x1f));
  return Buffer.concat(
    slices.flatMap((nal) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(nal.length);
      return [length, nal];
    }),
  );
}

/** Runs frames through a depacketiser; packets for which `keep` says no are lost. */
function runH264(keep: (frame: number, packet: number) => boolean) {
  const pictures: AccessUnit[] = [];
  let losses = 0;
  const depacketiser = createH264Depacketiser({
    onPicture: (picture) => pictures.push(picture),
    onLoss: () => losses++,
  });
  const sender = stream();
  let lost = 0;
  h264.frames.forEach((nals, frame) => {
    h264Packets(sender, nals, frame / 30).forEach((datagram, index) => {
      if (!keep(frame, index)) {
        lost++;
        return;
      }
      depacketiser.push(read(datagram), lost);
      lost = 0;
    });
  });
  return { pictures, losses, frames: pictures.map((each) => Math.round(each.timestamp / 3_000)) };
}

describe('H.264', () => {
  test('comes out as the encoder made it', () => {
    const { pictures } = runH264(() => true);
    expect(pictures).toHaveLength(h264.frames.length);
    pictures.forEach((picture, index) => {
      const expected = avcc(h264.frames[index] ?? []);
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

  test('survives garbage', () => {
    const depacketiser = createH264Depacketiser({ onPicture() {}, onLoss() {} });
    for (let seed = 0; seed < 2_000; seed++) {
      const payload = Buffer.from(
        Array.from({ length: seed % 40 }, (_, index) => (seed * 31 + index * 17) & 0xff),
      );
      depacketiser.push({ payload, marker: seed % 3 === 0, timestamp: seed >> 2 }, seed % 7);
    }
  });
});

function runVp8(keep: (frame: number, packet: number) => boolean) {
  const pictures: Vp8Frame[] = [];
  let losses = 0;
  const depacketiser = createVp8Depacketiser({
    onPicture: (picture) => pictures.push(picture),
    onLoss: () => losses++,
  });
  const sender = stream();
  let lost = 0;
  vp8.frames.forEach(([data = Buffer.alloc(0)], frame) => {
    vp8Packets(sender, data, frame, frame / 30).forEach((datagram, index) => {
      if (!keep(frame, index)) {
        lost++;
        return;
      }
      depacketiser.push(read(datagram), lost);
      lost = 0;
    });
  });
  return { pictures, losses, frames: pictures.map((each) => Math.round(each.timestamp / 3_000)) };
}

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

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
