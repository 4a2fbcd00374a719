// A watcher for tests: takes the room's tracks as bare RTP, and counts pictures, keyframes, sound and what was lost.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { RoomClient } from '../../testing/room-scene.ts';

export interface Seen {
  pictures: number;
  keyframes: number;
  soundPackets: number;
  gaps: number;
  /** `profile_idc` of the last parameter set. */
  profile: number | null;
  /** Between two pictures, in units of 90 kHz. */
  pictureSteps: Set<number>;
}

export interface Watcher {
  readonly seen: Seen;
  close(): void;
}

const markerBit = 0x80;
const nalIdr = 5;
const nalParameterSet = 7;
const nalAggregate = 24;
const nalFragment = 28;

async function openPort(onPacket: (packet: Buffer) => void): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 2_000_000 });
  socket.on('message', (packet) => {
    // Sender reports come to the same port.
    const isRtcp = (packet[1] ?? 0) >= 192 && (packet[1] ?? 0) <= 223;
    if (!isRtcp) onPacket(packet);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** What comes after the header and its extension (RFC 3550, 5.1). */
function payloadOf(packet: Buffer): Buffer {
  const hasExtension = ((packet[0] ?? 0) & 0x10) !== 0;
  return packet.subarray(hasExtension ? 16 + packet.readUInt16BE(14) * 4 : 12);
}

/** The NAL units that begin in a payload (RFC 6184). */
function nalUnitsOf(payload: Buffer): Buffer[] {
  const type = (payload[0] ?? 0) & 0x1f;
  if (type === nalFragment) {
    const header = payload[1] ?? 0;
    return header & 0x80 ? [Buffer.from([header & 0x1f])] : [];
  }
  if (type !== nalAggregate) return [payload];
  const units: Buffer[] = [];
  for (let at = 1; at + 2 < payload.length; ) {
    const length = payload.readUInt16BE(at);
    units.push(payload.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return units;
}

/** `client` has joined with a tap ticket. */
export async function watch(client: RoomClient): Promise<Watcher> {
  const seen: Seen = {
    pictures: 0,
    keyframes: 0,
    soundPackets: 0,
    gaps: 0,
    profile: null,
    pictureSteps: new Set(),
  };
  const last = new Map<string, number>();
  function countGaps(track: string, packet: Buffer): void {
    const sequence = packet.readUInt16BE(2);
    const expected = ((last.get(track) ?? sequence - 1) + 1) & 0xffff;
    if (sequence !== expected) seen.gaps += 1;
    last.set(track, sequence);
  }
  let pictureAt: number | null = null;
  const sound = await openPort((packet) => {
    countGaps('sound', packet);
    seen.soundPackets += 1;
  });
  const picture = await openPort((packet) => {
    countGaps('picture', packet);
    for (const unit of nalUnitsOf(payloadOf(packet))) {
      const type = (unit[0] ?? 0) & 0x1f;
      if (type === nalParameterSet) seen.profile = unit[1] ?? null;
      if (type === nalIdr) seen.keyframes += 1;
    }
    if (((packet[1] ?? 0) & markerBit) === 0) return;
    const timestamp = packet.readUInt32BE(4);
    if (pictureAt !== null) seen.pictureSteps.add((timestamp - pictureAt) | 0);
    pictureAt = timestamp;
    seen.pictures += 1;
  });
  const portOf = (socket: Socket) => (socket.address() as AddressInfo).port;
  await client.request('tap.open', {
    address: '127.0.0.1',
    audioPort: portOf(sound),
    videoPorts: [portOf(picture)],
  });
  return {
    seen,
    close() {
      client.close();
      sound.close();
      picture.close();
    },
  };
}
