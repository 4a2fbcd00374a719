// Tests of the track receiver: what it lets in, and what it says about what is missing.
import { expect, test } from 'vitest';
import { createSenderClock } from '../rtp/track-clock.ts';
import { h264Packets, type RtpStream, senderReport, tapTrackOf } from '../testing/rtp-sender.ts';
import { createTrackReceiver, type TimedPacket, trackBytesPerSecondMax } from './track-receiver.ts';

const startMs = Date.UTC(2030, 0, 1);
const sfu = { address: '10.0.0.1', port: 40_000 };

function setUp() {
  const stream: RtpStream = {
    ...{ payloadType: 101, ssrc: 7, clockRate: 90_000, sequence: 65_530, timestampBase: 0 },
  };
  const out: TimedPacket[] = [];
  const track = tapTrackOf(stream, {
    ...{ kind: 'video', source: 'camera', mimeType: 'video/H264', port: 1, spatialLayer: 0 },
  });
  const receiver = createTrackReceiver(track, createSenderClock(), (packet) => out.push(packet));
  const packet = (seconds: number, bytes = 10) =>
    h264Packets(stream, [Buffer.alloc(bytes, 1)], seconds)[0] ?? Buffer.alloc(0);
  return { stream, receiver, packet, out };
}

test('strangers are not heard: not from another address, nor with another SSRC or payload type', () => {
  const { stream, receiver, packet, out } = setUp();
  receiver.receive(packet(0), sfu, startMs);
  const strangers = [
    { address: '10.0.0.2', port: 40_000 },
    { address: '10.0.0.1', port: 40_001 },
  ];
  for (const stranger of strangers) receiver.receive(packet(1), stranger, startMs + 20);
  for (const change of [{ ssrc: 8 }, { payloadType: 102 }]) {
    const other = h264Packets({ ...stream, ...change }, [Buffer.alloc(5, 1)], 1)[0];
    receiver.receive(other ?? Buffer.alloc(0), sfu, startMs + 30);
  }
  // A report of theirs must not move the clock either.
  for (const stranger of strangers) {
    receiver.receive(senderReport(stream, startMs - 99_000, 0), stranger, startMs + 40);
  }
  expect(out).toHaveLength(1);
  receiver.receive(packet(0.05), sfu, startMs + 50);
  receiver.expire(startMs + 500);
  expect(out).toHaveLength(2);
  expect(Math.abs((out[1]?.wallMs ?? 0) - (startMs + 50))).toBeLessThan(1);
});

test('what is no packet is survived', () => {
  const { receiver, packet, out } = setUp();
  const good = packet(0);
  for (let length = 0; length < good.length; length++) {
    receiver.receive(good.subarray(0, length), sfu, startMs);
  }
  for (let seed = 0; seed < 2_000; seed++) {
    const noise = Array.from({ length: seed % 64 }, (_, at) => (seed * 29 + at * 83) & 255);
    receiver.receive(Buffer.from(noise), sfu, startMs);
  }
  // Lengths of extension, padding and contributing sources that point beyond the end.
  for (const first of [0x90, 0xa0, 0x8f, 0xbf]) {
    const bad = Buffer.concat([good, Buffer.alloc(4, 0xff)]);
    bad[0] = first;
    receiver.receive(bad, sfu, startMs);
  }
  expect(out.every(({ packet: each }) => each.payload.length > 0)).toBe(true);
});

test('a loss before a packet of padding alone is told with the next one', () => {
  const { receiver, packet, out } = setUp();
  receiver.receive(packet(0), sfu, startMs);
  packet(0.01);
  const padding = Buffer.concat([packet(0.02).subarray(0, 12), Buffer.from([0, 0, 0, 4])]);
  padding[0] = 0xa0;
  receiver.receive(padding, sfu, startMs + 20);
  receiver.receive(packet(0.03), sfu, startMs + 30);
  receiver.expire(startMs + 500);
  expect(out.map(({ lost }) => lost)).toEqual([0, 1]);
});

test('a flood is cut off at the limit, and a second later all is well', () => {
  const { receiver, packet, out } = setUp();
  const datagram = packet(0, 1_000);
  const { sequence } = { sequence: datagram.readUInt16BE(2) };
  for (let index = 0; index < 10_000; index++) {
    datagram.writeUInt16BE((sequence + index) & 0xffff, 2);
    receiver.receive(datagram, sfu, startMs);
  }
  expect(out.length).toBe(Math.floor(trackBytesPerSecondMax / datagram.length));
  receiver.receive(packet(1), sfu, startMs + 1_000);
  receiver.expire(startMs + 1_500);
  expect(out.at(-1)?.lost).toBeGreaterThan(0);
});
