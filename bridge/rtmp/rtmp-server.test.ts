// The RTMP server and clients that mean no good: how much of them is taken before and after their key was granted.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assert } from '#contract';
import type { Caller } from '../caller.ts';
import { createDoorstep } from '../doorstep.ts';
import { keyShownMsMax } from '../limits.ts';
import {
  chunk,
  chunkSize,
  connectCommand,
  dial,
  handshake,
  publish,
  publishing,
  scriptType,
  untilClosed,
} from '../testing/rtmp-client.ts';
import { type IngestServer, startRtmpServer } from './rtmp-server.ts';

const videoType = 9;
const megabyte = 1024 * 1024;

let server: IngestServer;
let callers: Caller[] = [];
let grants = true;

beforeEach(async () => {
  callers = [];
  grants = true;
  server = await startRtmpServer({
    address: '127.0.0.1',
    port: 0,
    doorstep: createDoorstep(1),
    proxies: [],
    onCaller(caller) {
      callers.push(caller);
      if (grants) caller.accept();
    },
  });
});
afterEach(() => server.close());

/** Resolves when the server has ended it, which must be because of what was written and not of the time. */
async function expectEnd(socket: Socket): Promise<void> {
  const writtenAtMs = performance.now();
  await untilClosed(socket);
  expect(performance.now() - writtenAtMs).toBeLessThan(keyShownMsMax / 2);
}

/** Writes as fast as it is taken until the other side has ended it. */
async function flood(socket: Socket, bytes: Buffer): Promise<void> {
  const write = () => {
    for (let more = true; more && socket.writable; ) more = socket.write(bytes);
  };
  socket.on('drain', write);
  write();
  await untilClosed(socket);
}

test('a client that asks without end and reads no answer is ended', async () => {
  const socket = await publish(server.port, 'key');
  socket.pause();
  await flood(socket, Buffer.concat(Array.from({ length: 200 }, connectCommand)));
  expect(callers[0]?.closed).toBe(true);
}, 10_000);

test('before the key no message may be long; afterwards those of media may', async () => {
  const early = await dial(server.port);
  early.resume().write(Buffer.concat([handshake(), chunk(videoType, megabyte, Buffer.alloc(64))]));
  await expectEnd(early);
  const socket = await publish(server.port, 'key');
  const [caller] = callers;
  assert(caller, 'it was let in');
  const heard = once(caller, 'data');
  socket.write(chunkSize(megabyte));
  socket.write(chunk(videoType, megabyte, Buffer.alloc(megabyte), 5));
  await heard.then(([bytes]) => expect(bytes.length).toBeGreaterThan(megabyte));
  socket.destroy();
});

test.each([
  ['is shown', handshake()],
  ['was granted', publishing('key')],
])('until the key %s only a few bytes are taken', async (_, beginning) => {
  grants = false;
  const socket = await dial(server.port);
  socket.resume().write(beginning);
  const script = chunk(scriptType, 100, Buffer.alloc(100), 6);
  socket.write(Buffer.concat(Array.from({ length: 200 }, () => script)));
  await expectEnd(socket);
});

test('one encoder more than there are places for is told so', async () => {
  const first = await publish(server.port, 'key');
  const second = await dial(server.port);
  second.write(publishing('other'));
  const said = (await second.toArray()).join('');
  expect(said).toContain('NetStream.Publish.BadName');
  expect(callers.length).toBe(1);
  first.destroy();
});
