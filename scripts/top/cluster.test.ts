// Tests of the cluster as it is read: real nodes that come, go, and are not to be reached.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { sfuNodesKey } from '#contract';
import { useScene } from '../../sfu-cluster/testing/scene.ts';
import { testNodeSecret } from '../../sfu-cluster/testing/test-edge.ts';
import { startTestNode, type TestNode } from '../../sfu-cluster/testing/test-node.ts';
import { freePort } from '../launch/free-port.ts';
import { createClusterReader } from './cluster.ts';

const secret = 'a-secret-that-reads-figures-0123456789';
const env = { SFU_METRICS_SECRET: secret };
const scene = useScene({ nodeId: 'sfu-1', env });
const others: TestNode[] = [];
afterEach(async () => {
  for (const node of others.splice(0)) await node.close();
});

/** A further node, under the address that it tells the registry. */
async function startOther(nodeId: string): Promise<TestNode> {
  const { edge, redisUrl } = scene;
  const port = String(await freePort());
  const node = await startTestNode({
    ...{ edgeUrl: edge.url, redisUrl, nodeId },
    env: { ...env, SFU_PORT: port, SFU_PUBLIC_URL: `ws://127.0.0.1:${port}/room` },
  });
  others.push(node);
  return node;
}

const statesOf = (nodes: { name: string; state: string }[]) =>
  nodes.map(({ name, state }) => `${name} ${state}`);

describe('a cluster of which one node is named', () => {
  const reader = () =>
    createClusterReader({ addresses: [scene.node.httpUrl], secret, follows: true });

  test('has the others from the registry, and adds a stream up over all of them', async () => {
    const other = await startOther('sfu-2');
    const sockets = [
      await scene.join({ capabilities: ['subscribe'] }),
      await scene.join({ capabilities: ['subscribe'] }, other),
      await scene.join({ capabilities: ['subscribe'] }, other),
    ];
    const { nodes, streams } = await reader().read();
    expect(statesOf(nodes)).toEqual(['sfu-1 ready', 'sfu-2 ready']);
    expect(streams).toMatchObject([{ streamId: scene.stream, viewers: 3, nodes: 2 }]);
    for (const socket of sockets) socket.close();
  });

  test('shows a node that is listed and does not answer, and one that drains', async () => {
    const other = await startOther('sfu-3');
    const entry = await scene.redis.hget(sfuNodesKey, 'sfu-3');
    const draining = other.drain();
    expect(statesOf((await reader().read()).nodes)).toContain('sfu-3 draining');
    await draining;
    await others.pop()?.close();
    // As one is found that was killed: its entry stays behind.
    const { seenAt, ...rest } = JSON.parse(entry ?? '{}');
    await scene.redis.hset(
      sfuNodesKey,
      'sfu-3',
      JSON.stringify({ ...rest, seenAt: seenAt - 5_000 }),
    );
    expect(statesOf((await reader().read()).nodes)).toEqual(['sfu-1 ready', 'sfu-3 silent']);
    await scene.redis.hdel(sfuNodesKey, 'sfu-3');
  });
});

test('a secret that may do more than read goes to nobody but who was named', async () => {
  await startOther('sfu-4');
  const { httpUrl } = scene.node;
  const reader = createClusterReader({
    addresses: [httpUrl],
    secret: testNodeSecret,
    follows: false,
  });
  expect(statesOf((await reader.read()).nodes)).toEqual(['sfu-1 ready', 'sfu-4 unreachable']);
});

describe('npm run sfu:top', () => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));

  async function run(args: string[], variables: Record<string, string>) {
    const child = spawn(process.execPath, [main, ...args], {
      env: { PATH: process.env.PATH, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      texts.out += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      texts.err += chunk;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    return { code, ...texts };
  }

  test('prints one plain table, or JSON, and ends', async () => {
    const named = { SFU_NODES: scene.node.httpUrl, SFU_METRICS_SECRET: secret };
    const plain = await run(['--once'], named);
    expect(plain).toMatchObject({ code: 0, err: '' });
    expect(plain.out).toMatch(/^LivePanty SFU .* 1 of 1 nodes/);
    expect(plain.out).not.toContain('\u001b');
    const json = await run(['--json'], named);
    expect(JSON.parse(json.out)).toMatchObject({ nodes: [{ name: 'sfu-1', state: 'ready' }] });
  });

  test('says in one sentence what is missing, and exits 1', async () => {
    const { httpUrl } = scene.node;
    const halfSet = await run(['--once'], { SFU_NODES: httpUrl });
    expect(halfSet).toMatchObject({ code: 1, err: expect.stringContaining('SFU_METRICS_SECRET') });
    const wrong = { SFU_NODES: httpUrl, SFU_METRICS_SECRET: 'x'.repeat(40) };
    expect(await run(['--json'], wrong)).toMatchObject({ code: 1, out: '' });
    const nowhere = await run(['/nowhere'], {});
    expect(nowhere).toMatchObject({
      code: 1,
      err: expect.stringContaining('no stack in /nowhere'),
    });
  });
});
