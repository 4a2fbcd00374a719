// An RTMP client for tests that writes what it likes, without the manners of an encoder.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { handshakeBytes } from '../rtmp/bounded-rtmp.ts';

const commandType = 20;
export const scriptType = 18;

export const handshake = () => Buffer.concat([Buffer.from([3]), randomBytes(handshakeBytes - 1)]);

/** The first chunk of a message, which says that it is of `length` bytes. */
export function chunk(type: number, length: number, payload: Buffer, stream = 3): Buffer {
  const header = Buffer.alloc(12);
  header[0] = stream;
  header.writeUIntBE(length, 4, 3);
  header[7] = type;
  return Buffer.concat([header, payload]);
}

/** Sets the size of chunks, so that a message may be one. */
export function chunkSize(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return chunk(1, 4, payload, 2);
}

/** Values of AMF0: texts, numbers, null, and an object of texts. */
type Value = string | number | null | Record<string, string>;

function written(value: Value): Buffer {
  if (value === null) return Buffer.from([5]);
  if (typeof value === 'string') return Buffer.concat([Buffer.from([2]), named(value)]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  const pairs = Object.entries(value).flatMap(([name, of]) => [named(name), written(of)]);
  return Buffer.concat([Buffer.from([3]), ...pairs, Buffer.from([0, 0, 9])]);
}

function named(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

/** Fits into one chunk after `chunkSize`. */
export function command(...values: Value[]): Buffer {
  const payload = Buffer.concat(values.map(written));
  return chunk(commandType, payload.length, payload);
}

export const connectCommand = () =>
  command('connect', 1, { app: 'live', tcUrl: 'rtmp://127.0.0.1/live' });

/** Everything up to the wish to publish. */
export function publishing(key: string): Buffer {
  return Buffer.concat([
    handshake(),
    chunkSize(65_536),
    connectCommand(),
    command('createStream', 2, null),
    command('publish', 3, null, key, 'live'),
  ]);
}

/** A connection whose end is no error. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Resolves when it has been told that it may publish. */
export async function publish(port: number, key: string): Promise<Socket> {
  const socket = await dial(port);
  socket.write(publishing(key));
  let heard = '';
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    heard += String(bytes);
    if (heard.includes('NetStream.Publish.Start')) break;
  }
  return socket.resume();
}

/** However it ends. */
export async function untilClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}
