// Tests of the reports to the edge: what they say, how soon, and that an absent edge harms nothing.
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { Health } from '#contract';
import { createReporter, reportSpacingMs } from './reports.ts';
import { RoomClient } from './testing/room-client.ts';
import { h264Parameters, opusParameters } from './testing/rtp-source.ts';
import { useScene } from './testing/scene.ts';
import { testNodeSecret } from './testing/test-edge.ts';
import { startTestNode } from './testing/test-node.ts';

const scene = useScene();

async function publish(): Promise<RoomClient> {
  const host = await scene.performer();
  const { transportId } = await host.request('transport.create', { direction: 'send' });
  const camera = { transportId, kind: 'video', source: 'camera' } as const;
  const microphone = { transportId, kind: 'audio', source: 'microphone' } as const;
  await host.request('produce', { ...microphone, rtpParameters: opusParameters(3) });
  await host.request('produce', { ...camera, rtpParameters: h264Parameters([5, 6, 7]) });
  return host;
}

function about(streamId: string) {
  return scene.edge.reports
    .flatMap((report) => report.streams)
    .filter((s) => s.streamId === streamId);
}

describe('reports', () => {
  test('a publisher who comes and goes is told at once, with the codec', async () => {
    await scene.edge.report(() => true);
    const host = await publish();
    const publishedAt = performance.now();
    await scene.edge.report((report) =>
      report.streams.some(
        (s) =>
          s.streamId === scene.stream && s.publishing && s.videoCodec === 'H264' && s.viewers === 0,
      ),
    );
    expect(performance.now() - publishedAt).toBeLessThan(1_000);
    // Sound and picture came together and were told together, or nearly so.
    expect(about(scene.stream).length).toBeLessThanOrEqual(3);

    const viewer = await scene.join();
    host.close();
    const goneAt = performance.now();
    await scene.edge.report((report) =>
      report.streams.some((s) => s.streamId === scene.stream && !s.publishing && s.viewers === 1),
    );
    expect(performance.now() - goneAt).toBeLessThan(1_000);
    viewer.close();
  });

  test('tracks that come and go without end do not flood the edge', async () => {
    const sent = () =>
      scene.edge.reports.filter((report) => report.nodeId === 'sfu-nervous').length;
    const reporter = createReporter({
      edgeUrl: scene.edge.url,
      nodeSecret: testNodeSecret,
      log: pino({ level: 'silent' }),
      snapshot: () => ({
        nodeId: 'sfu-nervous',
        url: 'ws://127.0.0.1/room',
        revocationsKnown: null,
        streams: [],
      }),
      onAnswer: () => undefined,
    });
    const startedAt = performance.now();
    const nervous = () => {
      reporter.nudge();
      return sent();
    };
    await expect.poll(nervous, { interval: 5, timeout: 5_000 }).toBeGreaterThanOrEqual(6);
    expect(performance.now() - startedAt).toBeGreaterThan(4 * reportSpacingMs);
    await reporter.close();
  });

  test('a room that the edge calls over is closed', async () => {
    const host = await publish();
    scene.edge.over.add(scene.stream);
    expect(await host.closed).toBe('stream-ended');
    scene.edge.over.clear();
  });

  test('an edge that is down leaves the rooms alone, and is told everything when it is back', async () => {
    scene.edge.broken = true;
    const host = await publish();
    expect(await host.request('ping', {})).toEqual({});
    expect(about(scene.stream)).toEqual([]);
    scene.edge.broken = false;
    await scene.edge.report((report) =>
      report.streams.some((s) => s.streamId === scene.stream && s.publishing),
    );
    host.close();
  });

  test('a clock that differs from the edge by more than tickets allow makes the node unready', async () => {
    const clock = async () => {
      const health = Health.parse(await (await fetch(`${scene.node.httpUrl}/readyz`)).json());
      return health.checks.clock;
    };
    await expect.poll(clock).toMatchObject({ ok: true });
    scene.edge.clockAheadSeconds = 60;
    await expect.poll(clock, { timeout: 5_000 }).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/^(59|60|61) s behind the edge$/),
    });
    scene.edge.clockAheadSeconds = 0;
    await expect.poll(clock, { timeout: 5_000 }).toMatchObject({ ok: true });
  });

  test('a node that shuts down says that nobody publishes there any more', async () => {
    const other = await startTestNode({
      edgeUrl: scene.edge.url,
      redisUrl: scene.redisUrl,
      nodeId: 'sfu-leaving',
    });
    const ticket = await scene.edge.ticket({
      stream: scene.stream,
      node: 'sfu-leaving',
      capabilities: ['publish'],
    });
    const host = await RoomClient.join(other.socketUrl, ticket);
    await scene.edge.report((r) => r.nodeId === 'sfu-leaving' && r.streams.length === 1);
    await other.close();
    expect(await host.closed).toBe('unavailable');
    expect(scene.edge.reports.findLast((r) => r.nodeId === 'sfu-leaving')?.streams).toEqual([]);
  });
});
