// Tests of the reorder buffer.
import { expect, test } from 'vitest';
import type { RtpPacket } from './packet.ts';
import { createReorderBuffer, reorderPacketsMax, reorderWaitMsMax } from './reorder-buffer.ts';

function setUp() {
  const out: string[] = [];
  const buffer = createReorderBuffer((packet, lost) =>
    out.push(lost > 0 ? `${packet.sequence} after ${lost} lost` : `${packet.sequence}`),
  );
  const push = (sequence: number, nowMs = 0) =>
    buffer.push(
      {
        sequence: sequence & 0xffff,
        marker: false,
        payloadType: 96,
        timestamp: 0,
        ssrc: 1,
        payload: Buffer.alloc(1),
      } satisfies RtpPacket,
      nowMs,
    );
  return { out, buffer, push };
}

test('packets leave in the order in which they were sent', () => {
  const { out, push } = setUp();
  for (const sequence of [10, 12, 11, 15, 14, 13, 16]) push(sequence);
  expect(out).toEqual(['10', '11', '12', '13', '14', '15', '16']);
});

test('a packet that comes twice leaves once', () => {
  const { out, push } = setUp();
  for (const sequence of [10, 10, 12, 12, 11, 11, 10]) push(sequence);
  expect(out).toEqual(['10', '11', '12']);
});

test('sequence numbers may wrap', () => {
  const { out, push } = setUp();
  for (const sequence of [65_534, 65_536, 65_535, 65_537]) push(sequence);
  expect(out).toEqual(['65534', '65535', '0', '1']);
});

test('a missing packet is given up after the wait, and not before', () => {
  const { out, buffer, push } = setUp();
  push(10, 0);
  push(13, 5);
  buffer.expire(5 + reorderWaitMsMax - 1);
  expect(out).toEqual(['10']);
  buffer.expire(5 + reorderWaitMsMax);
  expect(out).toEqual(['10', '13 after 2 lost']);
  push(11, 100);
  expect(out).toHaveLength(2);
});

test('no more packets are held back than the limit', () => {
  const { out, push } = setUp();
  push(0);
  for (let sequence = 2; sequence <= reorderPacketsMax + 2; sequence++) push(sequence);
  expect(out[1]).toBe('2 after 1 lost');
  expect(out).toHaveLength(reorderPacketsMax + 2);
});

test('a sender that starts anew is followed at once', () => {
  const { out, push } = setUp();
  push(10);
  push(30_000);
  push(30_001);
  expect(out).toEqual(['10', '30000 after 1 lost', '30001']);
});
