// Tests of the node as a process: how it starts, and that it ends whole.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sfuNodesKey } from '#contract';
import { freePort } from '../scripts/launch/free-port.ts';
import { redisUrl } from '../testing/services.ts';
import { RoomClient } from './testing/room-client.ts';
import { startTestEdge, type TestEdge, testNodeSecret, withSecret } from './testing/test-edge.ts';
import { mediaWorkerBin } from './testing/worker-bin.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const Stats = z.object({ workers: z.array(z.object({ pid: z.int() })) });

let edge: TestEdge;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  edge = await startTestEdge();
});

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

afterAll(() => edge.close());

function run(env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

interface Ports {
  port: number;
  mediaPort: number;
}

async function startNode(nodeId: string, ports?: Ports, drainSeconds = 0) {
  const { port, mediaPort } = ports ?? { port: await freePort(), mediaPort: 0 };
  const bin = mediaWorkerBin();
  const child = run({
    SFU_NODE_ID: nodeId,
    SFU_PORT: String(port),
    SFU_MEDIA_PORT: String(mediaPort),
    EDGE_URL: edge.url,
    NODE_SECRET: testNodeSecret,
    REDIS_URL: redisUrl(),
    SFU_DRAIN_SECONDS: String(drainSeconds),
    ...(bin === undefined ? {} : { MEDIASOUP_WORKER_BIN: bin }),
  });
  const url = `http://127.0.0.1:${port}`;
  const ready = async () => (await fetch(`${url}/readyz`).catch(() => null))?.status;
  await expect.poll(ready, { timeout: 15_000 }).toBe(200);
  const { workers } = Stats.parse(await (await fetch(`${url}/stats`, withSecret)).json());
  return {
    child,
    socketUrl: `${url.replace('http', 'ws')}/room`,
    workerPids: workers.map((w) => w.pid),
  };
}

async function expectGone(pids: number[]): Promise<void> {
  const alive = () => pids.filter((pid) => existsSync(`/proc/${pid}`));
  await expect.poll(alive, { timeout: 5_000 }).toEqual([]);
}

describe('the node process', () => {
  test('says everything that is missing, and does not start', async () => {
    const child = run({});
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(text).toMatch(/EDGE_URL[\s\S]*NODE_SECRET[\s\S]*REDIS_URL/);
  });

  test('ends on SIGTERM: sockets are sent away, the list forgets it, the worker is gone', async () => {
    const nodeId = `sfu-${randomUUID()}`;
    const { child, socketUrl, workerPids } = await startNode(nodeId);
    const redis = new Redis(redisUrl());
    await expect.poll(() => redis.hexists(sfuNodesKey, nodeId)).toBe(1);
    const ticket = await edge.ticket({ stream: randomUUID(), node: nodeId });
    const client = await RoomClient.join(socketUrl, ticket);
    child.kill('SIGTERM');
    expect(await client.closed).toBe('unavailable');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(await redis.hexists(sfuNodesKey, nodeId)).toBe(0);
    await expectGone(workerPids);
    redis.disconnect();
  });

  test('drains on SIGTERM with its workers alive, and ends when nobody is left', async () => {
    const nodeId = `sfu-${randomUUID()}`;
    const { child, socketUrl, workerPids } = await startNode(nodeId, undefined, 20);
    const stream = randomUUID();
    const ticket = await edge.ticket({ stream, node: nodeId, capabilities: ['subscribe'] });
    const client = await RoomClient.join(socketUrl, ticket);
    child.kill('SIGTERM');
    await client.wait((frame) => frame.type === 'room.move');
    // Only a worker that lives can open a transport.
    expect(await client.request('transport.create', { direction: 'receive' })).toHaveProperty(
      'transportId',
    );
    client.close();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    await expectGone(workerPids);
  });

  test('that is killed leaves no worker behind, and the next one has its name and ports at once', async () => {
    const nodeId = `sfu-${randomUUID()}`;
    const ports = { port: await freePort(), mediaPort: await freePort() };
    const { child, workerPids, socketUrl } = await startNode(nodeId, ports);
    const stream = randomUUID();
    const ticket = await edge.ticket({ stream, node: nodeId });
    await RoomClient.join(socketUrl, ticket);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await startNode(nodeId, ports);
    await expectGone(workerPids);
    // It knows nothing of the one before, and yet which tickets were used there.
    await expect(RoomClient.join(socketUrl, ticket)).rejects.toMatchObject({ code: 'ticket-used' });
    await RoomClient.join(socketUrl, await edge.ticket({ stream, node: nodeId }));
  });
});
