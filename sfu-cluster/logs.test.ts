// Tests of the log of a node: every line says whose it is, and none says what nobody may know.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { assert, type JoinedData, signallingVersion } from '#contract';
import { freePort } from '../scripts/launch/free-port.ts';
import { redisUrl } from '../testing/services.ts';
import { RoomClient } from './testing/room-client.ts';
import { publishMicrophone } from './testing/scene.ts';
import { startTestEdge, type TestEdge, testNodeSecret } from './testing/test-edge.ts';
import { mediaWorkerBin } from './testing/worker-bin.ts';

const metricsSecret = 'a-secret-that-reads-figures-0123456789';
const nodeId = `sfu-${randomUUID()}`;
const Line = z.looseObject({
  level: z.int(),
  time: z.iso.datetime(),
  service: z.literal('sfu'),
  nodeId: z.literal(nodeId),
  msg: z.string().min(1),
  streamId: z.string().optional(),
  peerId: z.string().optional(),
});

let edge: TestEdge;
let url: string;
let end: () => Promise<void>;
const lines: string[] = [];
const stream = randomUUID();
const tickets: string[] = [];

beforeAll(async () => {
  edge = await startTestEdge();
  const port = await freePort();
  const bin = mediaWorkerBin();
  const child = spawn(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url))], {
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'debug' },
      ...{ SFU_NODE_ID: nodeId, SFU_PORT: String(port), SFU_MEDIA_PORT: '0' },
      ...{ EDGE_URL: edge.url, NODE_SECRET: testNodeSecret, SFU_METRICS_SECRET: metricsSecret },
      ...{ REDIS_URL: redisUrl(), SFU_DRAIN_SECONDS: '0' },
      ...(bin === undefined ? {} : { MEDIASOUP_WORKER_BIN: bin }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const log = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const written = once(log, 'close');
  end = async () => {
    child.kill('SIGTERM');
    await written;
  };
  url = `http://127.0.0.1:${port}`;
  const ready = async () => assert((await fetch(`${url}/readyz`)).ok, 'it is not ready yet');
  await vi.waitFor(ready, { timeout: 30_000 });
});
afterAll(async () => {
  await end();
  await edge.close();
});

async function join(capabilities: ('publish' | 'subscribe')[]) {
  const ticket = await edge.ticket({ stream, node: nodeId, capabilities });
  tickets.push(ticket);
  const client = await RoomClient.connect(`${url.replace('http', 'ws')}/room`);
  const joined: z.infer<typeof JoinedData> = await client.request('join', {
    version: signallingVersion,
    ticket,
  });
  return { client, joined };
}

test('each line names the node, those of a socket its stream and its peer, and none a ticket or a secret', async () => {
  const performer = await join(['publish']);
  const viewer = await join(['subscribe']);
  await publishMicrophone(performer.client);
  // A ticket that was used, one that is none, and a frame that is none: what is refused is not logged either.
  const [used] = tickets;
  assert(used, 'somebody has joined');
  for (const ticket of [used, `${used.slice(0, -8)}AAAAAAAA`]) {
    const client = await RoomClient.connect(`${url.replace('http', 'ws')}/room`);
    client.sendText(JSON.stringify({ id: 1, type: 'join', version: signallingVersion, ticket }));
    await client.closed;
  }
  viewer.client.sendText(`{"ticket": "${used}"`);
  await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${metricsSecret}` } });
  for (const { client } of [performer, viewer]) {
    client.close();
    await client.closed;
  }
  await end();

  const parsed = lines.map((line) => Line.parse(JSON.parse(line)));
  const about = (msg: string) => parsed.filter((line) => line.msg === msg);
  const { peerId } = performer.joined;
  expect(about('track published')).toMatchObject([{ streamId: stream, peerId }]);
  const peers = [peerId, viewer.joined.peerId];
  for (const msg of ['a socket has joined', 'a socket has left']) {
    expect(about(msg).map((line) => line.peerId)).toEqual(expect.arrayContaining(peers));
  }
  // Whoever is known by a peer is known by a stream too.
  expect(parsed.filter((line) => line.peerId && line.streamId !== stream)).toEqual([]);
  const text = lines.join('\n');
  const secrets = [testNodeSecret, metricsSecret, ...tickets.map((ticket) => ticket.slice(-40))];
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  expect(text).not.toMatch(/eyJ[\w-]{20,}/);
});
