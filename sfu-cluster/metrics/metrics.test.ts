// Tests of the metrics of a node: who may read them, and that they tell what is so.
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { assert } from '#contract';
import { publishRtp, type RtpSource } from '../testing/rtp-source.ts';
import { publishMicrophone, useScene } from '../testing/scene.ts';
import { readSeries } from '../testing/series.ts';
import { withSecret } from '../testing/test-edge.ts';
import { startTestNode } from '../testing/test-node.ts';

const metricsSecret = 'a-secret-that-reads-figures-0123456789';
const scene = useScene({
  workers: 2,
  env: { SFU_METRICS_SECRET: metricsSecret, SFU_METRICS_STREAMS_MAX: '2' },
});

const series = (node = scene.node) => readSeries(node.httpUrl);

let source: RtpSource | null = null;
afterEach(() => {
  source?.close();
  source = null;
});

describe('who reads them', () => {
  const paths = ['/metrics', '/stats', '/nodes'];
  const status = async (path: string, secret?: string) => {
    const headers = secret ? { authorization: `Bearer ${secret}` } : {};
    return (await fetch(`${scene.node.httpUrl}${path}`, { headers })).status;
  };

  test('knows the secret for figures, or that of the nodes; strangers find nothing', async () => {
    for (const path of paths) {
      expect(await status(path)).toBe(404);
      expect(await status(path, 'wrong')).toBe(404);
      expect(await status(path, metricsSecret)).toBe(200);
      expect((await fetch(`${scene.node.httpUrl}${path}`, withSecret)).status).toBe(200);
    }
  });

  test('a node without such a secret has no second one', async () => {
    const { edge, redisUrl } = scene;
    const node = await startTestNode({ edgeUrl: edge.url, redisUrl, nodeId: 'sfu-plain' });
    const headers = { authorization: 'Bearer undefined' };
    expect((await fetch(`${node.httpUrl}/metrics`, { headers })).status).toBe(404);
    await node.close();
  });
});

describe('the node', () => {
  test('tells its health, its load and what it refuses', async () => {
    const before = (await series()).valueOf('livepanty_sfu_refusals_total', {
      code: 'ticket-invalid',
    });
    await expect(scene.join({ node: 'another' })).rejects.toThrow('ticket-invalid');
    const after = await series();
    expect(
      after.valueOf('livepanty_sfu_refusals_total', { code: 'ticket-invalid' }),
    ).toBeGreaterThan(before ?? 0);
    expect(after.valueOf('livepanty_sfu_check_ok', { check: 'redis' })).toBe(1);
    expect(after.valueOf('livepanty_sfu_check_ok', { check: 'revocations' })).toBe(1);
    expect(after.valueOf('livepanty_sfu_draining')).toBe(0);
    expect(after.valueOf('livepanty_sfu_event_loop_delay_p99_seconds')).toBeLessThan(5);
    expect(after.valueOf('livepanty_sfu_registry_beat_age_seconds')).toBeLessThan(4);
  });

  test('a worker that dies is seen to be down, counted, and up again with another process', async () => {
    const [worker] = scene.node.pool.workers;
    assert(worker, 'a worker runs');
    const labels = { worker: String(worker.index) };
    const pid = worker.pid;
    expect((await series()).valueOf('livepanty_sfu_worker_pid', labels)).toBe(pid);
    process.kill(pid, 'SIGKILL');
    await expect
      .poll(async () => (await series()).valueOf('livepanty_sfu_worker_deaths_total', labels))
      .toBe(1);
    await expect
      .poll(async () => (await series()).valueOf('livepanty_sfu_worker_up', labels), {
        timeout: 5_000,
      })
      .toBe(1);
    expect((await series()).valueOf('livepanty_sfu_worker_pid', labels)).not.toBe(pid);
  });
});

describe('streams', () => {
  test('tell viewers, bytes, keyframes and taps; what has ended is gone at once', async () => {
    const { stream } = scene;
    const viewer = await scene.viewer();
    await viewer.request('transport.create', { direction: 'receive' });
    source = await publishRtp(scene.room, 1);
    const transcoder = await scene.transcoder();
    // Whoever taps takes care of its own ports; nobody has to listen there for packets to be sent.
    await transcoder.request('tap.open', { address: '127.0.0.1', audioPort: 9, videoPorts: [10] });
    await transcoder.request('tap.keyframe', {});
    await expect
      .poll(
        async () => (await series()).valueOf('livepanty_sfu_stream_sent_bytes_total', { stream }),
        {
          timeout: 5_000,
        },
      )
      .toBeGreaterThan(1_000);
    const now = await series();
    expect(now.valueOf('livepanty_sfu_stream_viewers', { stream })).toBe(1);
    expect(now.valueOf('livepanty_sfu_stream_publishing', { stream })).toBe(1);
    expect(now.valueOf('livepanty_sfu_stream_score', { stream, source: 'camera' })).toBeGreaterThan(
      0,
    );
    expect(now.valueOf('livepanty_sfu_stream_keyframes_wanted_total', { stream })).toBe(2);
    expect(
      now.valueOf('livepanty_sfu_stream_bitrate_bps', { stream, direction: 'out' }),
    ).toBeGreaterThan(0);
    expect(now.valueOf('livepanty_sfu_sent_bytes_total')).toBeGreaterThanOrEqual(
      now.valueOf('livepanty_sfu_stream_sent_bytes_total', { stream }) ?? Number.NaN,
    );
    scene.edge.over.add(stream);
    await viewer.closed;
    expect((await series()).labelled('stream', stream)).toEqual([]);
    expect((await series()).valueOf('livepanty_sfu_sent_bytes_total')).toBeGreaterThan(1_000);
  });

  test('beyond the limit have no series, are counted, and the most watched are those that have', async () => {
    const streams = Array.from({ length: 4 }, () => randomUUID());
    const sockets = await Promise.all(
      streams.map((stream, index) =>
        Promise.all(
          Array.from({ length: index + 1 }, () =>
            scene.join({ stream, capabilities: ['subscribe'] }),
          ),
        ),
      ),
    );
    const now = await series();
    const shown = streams.filter((stream) => now.labelled('stream', stream).length > 0);
    expect(shown).toEqual(streams.slice(2));
    expect(now.valueOf('livepanty_sfu_streams_unlabelled')).toBe(2);
    expect(now.valueOf('livepanty_sfu_rooms')).toBe(4);
    for (const socket of sockets.flat()) socket.close();
  });

  test('that come from another node tell of the pipe on both', async () => {
    const { stream, edge, redisUrl } = scene;
    const other = await startTestNode({ edgeUrl: edge.url, redisUrl, nodeId: 'sfu-b' });
    const performer = await scene.performer();
    await publishMicrophone(performer);
    edge.origins.set(stream, { nodeId: scene.node.nodeId, url: scene.node.socketUrl });
    const viewer = await scene.join({ capabilities: ['subscribe'] }, other);
    await viewer.request('transport.create', { direction: 'receive' });
    const pipes = async (node: typeof other, direction: string) =>
      (await series(node)).valueOf('livepanty_sfu_stream_pipes', { stream, direction });
    await expect.poll(() => pipes(other, 'in'), { timeout: 5_000 }).toBe(1);
    expect(await pipes(scene.node, 'out')).toBe(1);
    expect(await pipes(scene.node, 'in')).toBe(0);
    for (const socket of [performer, viewer]) socket.close();
    await other.close();
  });
});
