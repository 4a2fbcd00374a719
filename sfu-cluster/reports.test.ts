// Tests of the reports to the edge: what they say, how soon, and that an absent edge harms nothing.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redisUrl } from '../testing/services.ts';
import { RoomClient } from './testing/room-client.ts';
import { h264Parameters, opusParameters } from './testing/rtp-source.ts';
import { startTestEdge, type TestEdge } from './testing/test-edge.ts';
import { startTestNode, type TestNode } from './testing/test-node.ts';

let edge: TestEdge;
let node: TestNode;
let stream: string;

beforeAll(async () => {
  edge = await startTestEdge();
  node = await startTestNode({ edgeUrl: edge.url, redisUrl: redisUrl() });
});

beforeEach(() => {
  stream = randomUUID();
});

afterAll(async () => {
  await node.close();
  await edge.close();
});

async function publish(): Promise<RoomClient> {
  const ticket = await edge.ticket({ stream, capabilities: ['publish'] });
  const host = await RoomClient.join(node.socketUrl, ticket);
  const { transportId } = await host.request('transport.create', { direction: 'send' });
  const camera = { transportId, kind: 'video', source: 'camera' } as const;
  const microphone = { transportId, kind: 'audio', source: 'microphone' } as const;
  await host.request('produce', { ...microphone, rtpParameters: opusParameters(3) });
  await host.request('produce', { ...camera, rtpParameters: h264Parameters([5, 6, 7]) });
  return host;
}

function about(streamId: string) {
  return edge.reports.flatMap((report) => report.streams).filter((s) => s.streamId === streamId);
}

describe('reports', () => {
  test('a publisher who comes and goes is told at once, with the codec', async () => {
    await edge.report(() => true);
    const startedAt = performance.now();
    const host = await publish();
    await edge.report((report) =>
      report.streams.some(
        (s) => s.streamId === stream && s.publishing && s.videoCodec === 'H264' && s.viewers === 0,
      ),
    );
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    // Sound and picture came together and were told together, or nearly so.
    expect(about(stream).length).toBeLessThanOrEqual(3);

    const viewer = await RoomClient.join(node.socketUrl, await edge.ticket({ stream }));
    host.close();
    const goneAt = performance.now();
    await edge.report((report) =>
      report.streams.some((s) => s.streamId === stream && !s.publishing && s.viewers === 1),
    );
    expect(performance.now() - goneAt).toBeLessThan(1_000);
    viewer.close();
  });

  test('a room that the edge calls over is closed', async () => {
    const host = await publish();
    edge.over.add(stream);
    expect(await host.closed).toBe('stream-ended');
    edge.over.clear();
  });

  test('an edge that is down leaves the rooms alone, and is told everything when it is back', async () => {
    edge.broken = true;
    const host = await publish();
    expect(await host.request('ping', {})).toEqual({});
    expect(about(stream)).toEqual([]);
    edge.broken = false;
    await edge.report((report) =>
      report.streams.some((s) => s.streamId === stream && s.publishing),
    );
    host.close();
  });

  test('a node that shuts down says that nobody publishes there any more', async () => {
    const other = await startTestNode({
      edgeUrl: edge.url,
      redisUrl: redisUrl(),
      nodeId: 'sfu-leaving',
    });
    const ticket = await edge.ticket({ stream, node: 'sfu-leaving', capabilities: ['publish'] });
    const host = await RoomClient.join(other.socketUrl, ticket);
    await edge.report((r) => r.nodeId === 'sfu-leaving' && r.streams.length === 1);
    await other.close();
    expect(await host.closed).toBe('unavailable');
    expect(edge.reports.findLast((r) => r.nodeId === 'sfu-leaving')?.streams).toEqual([]);
  });
});
