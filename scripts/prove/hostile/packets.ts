// Hostile packets: what strangers may throw at a media port, at a steady rate, from addresses of their own.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { anyOf, type Random } from '../random.ts';

const senders = 16;
const tickMs = 2;
const stunCookie = 0x2112a442;
/** Each holds a connection of ICE over TCP open, with nonsense in it. */
const tcpConnections = 50;

const bytes = (random: Random, length: number) => {
  const buffer = Buffer.allocUnsafe(length);
  for (let at = 0; at + 4 <= length; at += 4) buffer.writeUInt32LE(anyOf(random, 2 ** 32), at);
  return buffer;
};

/** Heads by which a media server tells protocols apart (RFC 7983), each before nonsense of any length. */
const kinds: readonly ((random: Random) => Buffer)[] = [
  (random) => bytes(random, anyOf(random, 1_400)),
  // STUN: a request of somebody who has no credentials, whole, cut, or with a length that lies.
  (random) => {
    const packet = bytes(random, 20 + anyOf(random, 300));
    packet.writeUInt16BE(anyOf(random, 4), 0);
    packet.writeUInt16BE(random() < 0.5 ? packet.length - 20 : anyOf(random, 65_536), 2);
    packet.writeUInt32BE(stunCookie, 4);
    return packet.subarray(0, random() < 0.2 ? anyOf(random, 20) : packet.length);
  },
  // DTLS: records of every type, among them a first flight that is none.
  (random) => {
    const packet = bytes(random, 13 + anyOf(random, 1_200));
    packet[0] = 20 + anyOf(random, 44);
    packet.writeUInt16BE(0xfefd, 1);
    packet.writeUInt16BE(random() < 0.5 ? packet.length - 13 : anyOf(random, 65_536), 11);
    return packet;
  },
  // RTP of nobody's stream, with extensions and padding that reach beyond its end.
  (random) => {
    const packet = bytes(random, 12 + anyOf(random, 1_200));
    packet[0] = 0x80 | anyOf(random, 0x40);
    packet[1] = anyOf(random, 128);
    return packet;
  },
  // RTCP whose lengths and counts lie.
  (random) => {
    const packet = bytes(random, 8 + 4 * anyOf(random, 100));
    packet[0] = 0x80 | anyOf(random, 0x40);
    packet[1] = 192 + anyOf(random, 32);
    return packet;
  },
  () => Buffer.alloc(0),
  (random) => bytes(random, 9_000),
];

function packetOf(random: Random): Buffer {
  const kind = kinds[anyOf(random, kinds.length)];
  return kind ? kind(random) : Buffer.alloc(0);
}

export interface Flood {
  port: number;
  perSecond: number;
  seconds: number;
  random: Random;
}

/** Resolves with how many packets went out. */
export async function flood({ port, perSecond, seconds, random }: Flood): Promise<number> {
  const sockets = await Promise.all(
    Array.from({ length: senders }, async (_, place) => {
      const socket = createSocket('udp4');
      socket.on('error', () => undefined);
      socket.bind(0, `127.0.${100 + place}.1`);
      await once(socket, 'listening');
      return socket;
    }),
  );
  const connections = Array.from({ length: tcpConnections }, () => {
    const connection = connect(port, '127.0.0.1');
    connection.on('error', () => undefined);
    connection.on('connect', () => connection.write(bytes(random, 1 + anyOf(random, 4_000))));
    return connection;
  });
  const beganAtMs = performance.now();
  let sent = 0;
  for (;;) {
    const passedSeconds = (performance.now() - beganAtMs) / 1_000;
    if (passedSeconds >= seconds) break;
    for (const due = Math.floor(passedSeconds * perSecond); sent < due; sent += 1) {
      sockets[sent % senders]?.send(packetOf(random), port, '127.0.0.1');
    }
    await delay(tickMs);
  }
  for (const connection of connections) connection.destroy();
  for (const socket of sockets) socket.close();
  return sent;
}
