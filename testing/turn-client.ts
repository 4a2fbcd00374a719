// A client of TURN relays for tests (RFC 8656 over UDP): what a relay answers, by the code.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { IceServer } from '#contract';

const magicCookie = 0x2112a442;
const answerTimeoutMs = 5_000;
const integrityBytes = 24;

const methods = { allocate: 0x003, refresh: 0x004, createPermission: 0x008 } as const;
const successClass = 0x100;
const attributes = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  realm: 0x0014,
  nonce: 0x0015,
  requestedAddressFamily: 0x0017,
  requestedTransport: 0x0019,
} as const;

type Attribute = readonly [type: number, value: Uint8Array];
/** Addresses are masked with the id of the request that they are in. */
type Wishes = (id: Uint8Array) => readonly Attribute[];
type Answer = { type: number; attributes: Map<number, Buffer> };
/** `granted`, or the number of the error. */
export type Outcome = 'granted' | number;

export interface TurnClient {
  /** Asks for a relay of its own; IPv4 unless said otherwise. */
  allocate(family?: 4 | 6): Promise<Outcome>;
  /** Asks to exchange packets with somebody through it. */
  permit(peer: string): Promise<Outcome>;
  /** Gives its relay back, if it has one: the next client may be given its port. */
  close(): Promise<void>;
}

/** `port` is that of a relay on the loopback address. */
export async function openTurnClient(
  port: number,
  { username, credential }: Pick<IceServer, 'username' | 'credential'>,
): Promise<TurnClient> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  /** What the relay wants to see again in every request. */
  let challenge: Attribute[] = [];
  let realm = '';

  async function exchange(method: number, wishes: Wishes): Promise<Answer> {
    const who: Attribute[] =
      challenge.length === 0
        ? []
        : [[attributes.username, Buffer.from(username)] as const, ...challenge];
    const id = randomBytes(12);
    const request = message(method, id, [...wishes(id), ...who]);
    const key = createHash('md5').update(`${username}:${realm}:${credential}`).digest();
    socket.send(challenge.length === 0 ? request : signed(request, key));
    const signal = AbortSignal.timeout(answerTimeoutMs);
    for (;;) {
      const [bytes] = (await once(socket, 'message', { signal })) as [Buffer];
      if (bytes.subarray(8, 20).equals(id)) return parse(bytes);
    }
  }

  async function ask(method: number, wishes: Wishes): Promise<Outcome> {
    let answer = await exchange(method, wishes);
    // The first request is always refused, with what the next one must contain.
    if (challenge.length === 0) {
      challenge = [attributes.realm, attributes.nonce].map((type) => [
        type,
        answer.attributes.get(type) ?? Buffer.alloc(0),
      ]);
      realm = String(answer.attributes.get(attributes.realm) ?? '');
      answer = await exchange(method, wishes);
    }
    if (answer.type === (method | successClass)) return 'granted';
    const error = answer.attributes.get(attributes.errorCode) ?? Buffer.alloc(4);
    return error.readUInt8(2) * 100 + error.readUInt8(3);
  }

  let hasRelay = false;
  return {
    async allocate(family = 4) {
      const outcome = await ask(methods.allocate, () => [
        [attributes.requestedTransport, Buffer.from([17, 0, 0, 0])],
        ...(family === 6
          ? [[attributes.requestedAddressFamily, Buffer.from([2, 0, 0, 0])] as const]
          : []),
      ]);
      hasRelay ||= outcome === 'granted';
      return outcome;
    },
    permit: (peer) =>
      ask(methods.createPermission, (id) => [[attributes.xorPeerAddress, peerOf(peer, id)]]),
    async close() {
      if (hasRelay) await ask(methods.refresh, () => [[attributes.lifetime, Buffer.alloc(4)]]);
      socket.close();
    },
  };
}

/** One relay is asked for, and given back at once. */
export async function tryAllocation(
  port: number,
  credentials: Pick<IceServer, 'username' | 'credential'>,
): Promise<Outcome> {
  const client = await openTurnClient(port, credentials);
  try {
    return await client.allocate();
  } finally {
    await client.close();
  }
}

function message(type: number, id: Buffer, list: readonly Attribute[]): Buffer {
  const body = Buffer.concat(list.map(encode));
  const head = Buffer.alloc(8);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length, 2);
  head.writeUInt32BE(magicCookie, 4);
  return Buffer.concat([head, id, body]);
}

function encode([type, value]: Attribute): Buffer {
  const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  padded.writeUInt16BE(type, 0);
  padded.writeUInt16BE(value.length, 2);
  padded.set(value, 4);
  return padded;
}

/** Its integrity is over a length that counts the integrity itself. */
function signed(request: Buffer, key: Buffer): Buffer {
  const text = Buffer.from(request);
  text.writeUInt16BE(request.length - 20 + integrityBytes, 2);
  const mac = createHmac('sha1', key).update(text).digest();
  return Buffer.concat([text, encode([attributes.messageIntegrity, mac])]);
}

function parse(bytes: Buffer): Answer {
  const found = new Map<number, Buffer>();
  for (let at = 20; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2);
    found.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { type: bytes.readUInt16BE(0), attributes: found };
}

/** Some port of theirs: permissions are for addresses. IPv6 addresses are written out, without `::`. */
function peerOf(address: string, id: Uint8Array): Buffer {
  const bytes = isIPv6(address)
    ? address.split(':').flatMap((part) => {
        const group = Number.parseInt(part, 16);
        return [group >> 8, group & 0xff];
      })
    : address.split('.').map(Number);
  const head = Buffer.from([0, isIPv6(address) ? 2 : 1, 0, 0]);
  const mask = Buffer.concat([Buffer.alloc(4), id]);
  mask.writeUInt32BE(magicCookie);
  return Buffer.concat([head, Buffer.from(bytes.map((byte, at) => byte ^ (mask[at] ?? 0)))]);
}
