// Tests of the depacketisers of VP9 and AV1, on what real encoders make, cut up as browsers do it.
import { beforeAll, describe, expect, test } from 'vitest';
import { codedAv1, codedVp9 } from '../testing/media.ts';
import { createAv1Depacketiser } from './av1.ts';
import type { Depacketiser, DepacketiserEvents, ForeignPicture } from './picture.ts';
import { createVp9Depacketiser } from './vp9.ts';

const pieceBytes = 700;
const gop = 15;
const shape = { seconds: 1, gop, width: 640, height: 360 };

interface Payload {
  payload: Buffer;
  marker: boolean;
}

/** The pictures as they are coded, and the payloads of each. */
interface Coded {
  pictures: Buffer[];
  payloads: Payload[][];
}

function pieces(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / pieceBytes);
  return Array.from({ length: count }, (_, place) =>
    bytes.subarray(place * pieceBytes, (place + 1) * pieceBytes),
  );
}

/** RFC 9628, section 4.2: with the picture's id, its layer, and at keyframes the sizes. */
function vp9Payloads(picture: Buffer, index: number): Payload[] {
  const isKey = index % gop === 0;
  const all = pieces(picture);
  return all.map((piece, place) => {
    const isFirst = place === 0;
    const isLast = place === all.length - 1;
    const tells = isKey && isFirst;
    const flags =
      0xa0 | (isKey ? 0 : 0x40) | (isFirst ? 0x08 : 0) | (isLast ? 0x04 : 0) | (tells ? 0x02 : 0);
    // One layer of 640x360, and a group of one picture that refers to the one before.
    const structure = tells ? [0x18, 0x02, 0x80, 0x01, 0x68, 1, 0x04, 1] : [];
    const head = Buffer.from([flags, 0x80 | (index >> 8), index & 0xff, 0, 0, ...structure]);
    return { payload: Buffer.concat([head, piece]), marker: isLast };
  });
}

const hasSize = 0x02;

/** The OBUs of a temporal unit without their sizes, and without its delimiter. */
function obusOf(unit: Buffer): Buffer[] {
  const obus: Buffer[] = [];
  for (let at = 0; at < unit.length; ) {
    const head = unit.readUInt8(at);
    let size = 0;
    let next = at + 1;
    for (let shift = 0; ; shift += 7) {
      const byte = unit.readUInt8(next++);
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const body = unit.subarray(next, next + size);
    if (head >> 3 !== 2) obus.push(Buffer.concat([Buffer.from([head & ~hasSize]), body]));
    at = next + size;
  }
  return obus;
}

/** One element a payload: the format's W is 1, and Z and Y tell what goes on. */
function av1Payloads(unit: Buffer): Payload[] {
  const all = obusOf(unit).flatMap((obu) => {
    const parts = pieces(obu);
    return parts.map((part, place) => {
      const flags = 0x10 | (place > 0 ? 0x80 : 0) | (place < parts.length - 1 ? 0x40 : 0);
      return Buffer.concat([Buffer.from([flags]), part]);
    });
  });
  return all.map((payload, place) => ({ payload, marker: place === all.length - 1 }));
}

function run(
  create: (events: DepacketiserEvents<ForeignPicture>) => Depacketiser,
  { payloads }: Coded,
  keep: (picture: number, packet: number) => boolean,
) {
  const pictures: ForeignPicture[] = [];
  let losses = 0;
  let lost = 0;
  const depacketiser = create({
    onPicture: (picture) => pictures.push(picture),
    onLoss: () => losses++,
  });
  for (const [index, packets] of payloads.entries()) {
    for (const [place, packet] of packets.entries()) {
      if (!keep(index, place)) {
        lost += 1;
        continue;
      }
      depacketiser.push({ ...packet, timestamp: index }, lost);
      lost = 0;
    }
  }
  return { pictures, losses, came: pictures.map(({ timestamp }) => timestamp) };
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe.each([
  ['VP9', codedVp9, vp9Payloads, createVp9Depacketiser],
  ['AV1', codedAv1, av1Payloads, createAv1Depacketiser],
] as const)('%s', (_name, code, cut, create) => {
  let coded: Coded;

  beforeAll(async () => {
    const pictures = await code(shape);
    coded = { pictures, payloads: pictures.map(cut) };
  });

  test('comes out as the encoder made it, with the size at keyframes', () => {
    const { pictures } = run(create, coded, () => true);
    expect(pictures.map(({ chunks }) => Buffer.concat(chunks))).toEqual(coded.pictures);
    for (const [index, { key, size, bytes }] of pictures.entries()) {
      const isKey = index % gop === 0;
      expect([key, size]).toEqual([isKey, isKey ? { width: 640, height: 360 } : null]);
      expect(bytes).toBe(coded.pictures[index]?.length);
    }
  });

  test('after a loss waits for the next keyframe', () => {
    const { came, losses } = run(create, coded, (picture, packet) => picture !== 5 || packet !== 0);
    expect(came).toEqual([...range(0, 5), ...range(gop, 30)]);
    expect(losses).toBe(1);
  });

  test('takes a whole keyframe that comes right behind a loss, and none with a hole', () => {
    const before = run(create, coded, (picture) => picture !== gop - 1);
    expect(before.came).toEqual([...range(0, gop - 1), ...range(gop, 30)]);
    const hole = run(create, coded, (picture, packet) => picture !== gop || packet !== 1);
    expect(hole.came).toEqual(range(0, gop));
  });
});

test('VP9: all layers of a picture come out together, with the size of the whole', () => {
  const pictures: ForeignPicture[] = [];
  const depacketiser = createVp9Depacketiser({
    onPicture: (picture) => pictures.push(picture),
    onLoss: () => {},
  });
  // Two layers: 320x180 and 640x360.
  const structure = [0x30, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68];
  const small = Buffer.from([0x2e, 0x00, 0x00, ...structure, 1, 2]);
  const whole = Buffer.from([0x2c, 0x03, 0x00, 3, 4]);
  depacketiser.push({ payload: small, marker: false, timestamp: 9 }, 0);
  depacketiser.push({ payload: whole, marker: true, timestamp: 9 }, 0);
  expect(pictures).toMatchObject([{ key: true, size: { width: 640, height: 360 }, bytes: 4 }]);
});
