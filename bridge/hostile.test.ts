// Hostile input: bytes that are no handshake, at both ports, while an encoder goes on.
import { randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startNoise } from './testing/encoder.ts';
import { chunk, handshake } from './testing/rtmp-client.ts';
import { patient, useStage } from './testing/stage.ts';

const stage = useStage();
const roundsOfTcp = 400;
const datagrams = 4_000;

/** Sends these pieces and waits until the bridge, or the time, has ended the connection. */
async function offend(...pieces: Buffer[]): Promise<void> {
  const socket = connect(stage.bridge.rtmpPort, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect').catch(() => undefined);
  for (const piece of pieces) socket.write(piece);
  socket.end();
  if (!socket.closed) await once(socket, 'close');
}

/** Commands whose values say that they are longer, deeper or more than they are. */
function brokenCommand(): Buffer {
  const name = Buffer.from([2, 0, 7, ...Buffer.from('connect')]);
  const nested = Buffer.from('\x03\x00\x01a'.repeat(2_000), 'latin1');
  const endless = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 5, 5]);
  const body = [nested, endless, randomBytes(randomInt(1, 200))][randomInt(3)] ?? nested;
  const payload = Buffer.concat([name, body]).subarray(0, 100);
  return chunk(20, payload.length, payload);
}

const offences: Record<string, () => Buffer[]> = {
  'random bytes': () => [randomBytes(randomInt(1, 8_000))],
  'a handshake and random bytes': () => [handshake(), randomBytes(randomInt(1, 4_000))],
  'broken commands': () => [handshake(), brokenCommand()],
  'messages of sixteen megabytes': () => [
    handshake(),
    ...Array.from({ length: 60 }, (_, n) => chunk(9, 0xff_ff_ff, randomBytes(64), 3 + n)),
  ],
  'a chunk size of nothing': () => [handshake(), chunk(1, 4, Buffer.alloc(4)), randomBytes(500)],
};

async function flood(send: (round: number) => Promise<void>, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 4) {
    await Promise.all([0, 1, 2, 3].map((n) => send(round + n)));
  }
}

/** Runs it beside an encoder of the protocol, whose picture must go on without a gap. */
async function beside(protocol: 'rtmp' | 'srt', act: () => Promise<void>): Promise<void> {
  const { key } = stage.edge.keyFor(stage.scene.stream);
  stage.push(protocol, key);
  const { seen } = await stage.watched();
  await expect.poll(() => seen.pictures, patient).toBeGreaterThan(5);
  await act();
  const after = seen.pictures;
  await expect.poll(() => seen.pictures, patient).toBeGreaterThan(after + 10);
  expect(stage.bridge.relays.size).toBe(1);
}

describe('the RTMP port', () => {
  test.each(Object.entries(offences))('outlives %s', async (_, offence) => {
    const memoryBefore = process.memoryUsage().rss;
    await beside('rtmp', () => flood(() => offend(...offence()), roundsOfTcp));
    expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(300e6);
  });

  test('gives a connection that shows no key five seconds', async () => {
    const socket = connect(stage.bridge.rtmpPort, '127.0.0.1');
    const openedAtMs = performance.now();
    await once(socket, 'close');
    expect(performance.now() - openedAtMs).toBeGreaterThan(4_000);
  });

  test('has room for few connections of one line', async () => {
    const sockets = Array.from({ length: 12 }, () => connect(stage.bridge.rtmpPort, '127.0.0.1'));
    for (const socket of sockets) socket.on('error', () => undefined).resume();
    const closed = () => sockets.filter((socket) => socket.closed).length;
    await expect.poll(closed, patient).toBe(4);
    for (const socket of sockets) socket.destroy();
    // Their places are free again.
    stage.push('rtmp', stage.edge.keyFor(stage.scene.stream).key);
    await stage.untilPublished();
  });
});

test.each(['rtmp', 'srt'] as const)(
  'noise behind a right key ends a %s encoder',
  async (protocol) => {
    const { key } = stage.edge.keyFor(stage.scene.stream);
    const noise = startNoise(stage.addressOf(protocol, key));
    stage.after(noise.stop);
    await noise.ended;
    expect(stage.scene.node.rooms.find(stage.scene.stream)?.sources ?? []).toEqual([]);
    const last = JSON.parse(stage.logged.at(-1) ?? '');
    expect(last).toMatchObject({ protocol, streamId: stage.scene.stream });
    expect(last.why).toMatch(/not understood|nothing was understood/);
  },
);

test('the SRT port outlives malformed handshakes', async () => {
  const socket = createSocket('udp4');
  stage.after(() => socket.close());
  const { srtPort } = stage.bridge;
  const send = (packet: Buffer) =>
    new Promise<void>((resolve) => socket.send(packet, srtPort ?? 0, '127.0.0.1', () => resolve()));
  await beside('srt', () =>
    flood((round) => {
      const packet = randomBytes(randomInt(1, 1_400));
      // Every other one is a handshake by its first bytes (a control packet of type 0), and nothing else is right.
      if (round % 2 === 0 && packet.length > 64) packet.writeUInt32BE(0x8000_0000, 0);
      if (round % 4 === 0 && packet.length > 64) packet.fill(0, 12, 16);
      return send(packet);
    }, datagrams),
  );
});
