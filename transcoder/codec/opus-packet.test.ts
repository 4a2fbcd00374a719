// Tests of Opus packet reading.
import { describe, expect, test } from 'vitest';
import { opusPacketSamples, silentOpus } from './opus-packet.ts';

const packet = (configuration: number, code: number, ...rest: number[]) =>
  Buffer.from([(configuration << 3) | code, ...rest]);

describe('the length of a packet', () => {
  test('is told by its configuration and its count of frames', () => {
    expect(opusPacketSamples(packet(31, 0, 1, 2, 3))).toBe(960);
    expect(opusPacketSamples(packet(28, 0, 1))).toBe(120);
    expect(opusPacketSamples(packet(3, 0, 1))).toBe(2_880);
    expect(opusPacketSamples(packet(12, 0, 1))).toBe(480);
    expect(opusPacketSamples(packet(31, 1, 1, 2))).toBe(1_920);
    expect(opusPacketSamples(packet(31, 2, 1, 9, 9, 9))).toBe(1_920);
    expect(opusPacketSamples(packet(29, 3, 4, 1, 2, 3, 4))).toBe(960);
  });

  test('is told for discontinuous transmission, which has no frame data', () => {
    expect(opusPacketSamples(packet(9, 0))).toBe(960);
  });

  test('is told for each packet of silence', () => {
    for (const silence of silentOpus) {
      expect(opusPacketSamples(silence.packet)).toBe(silence.samples);
    }
  });
});

test('malformed packets are refused, so that no decoder drops one and shifts the sound', () => {
  const malformed = [
    Buffer.alloc(0),
    packet(31, 1, 1),
    packet(31, 2),
    packet(31, 2, 9, 1),
    packet(31, 3),
    packet(31, 3, 0),
    packet(31, 3, 49),
    packet(31, 3, 3, 1),
    packet(31, 3, 0x40 | 1, 200),
    packet(31, 3, 0x80 | 2, 7, 1),
    packet(3, 3, 3, 1, 2, 3),
    Buffer.concat([packet(31, 0), Buffer.alloc(1_276)]),
  ];
  for (const each of malformed) expect(opusPacketSamples(each)).toBeNull();
});
