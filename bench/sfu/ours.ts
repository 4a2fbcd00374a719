// Our node as a peer: its real process, entered through the room socket with tickets.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { signallingVersion } from '#contract';
import { nodeCommand } from '../../scripts/launch/child.ts';
import { probeReady } from '../../scripts/launch/probe.ts';
import { RoomClient } from '../../sfu-cluster/testing/room-client.ts';
import { h264Parameters, opusParameters } from '../../sfu-cluster/testing/rtp-source.ts';
import {
  startTestEdge,
  type TestEdge,
  testNodeSecret,
  withSecret,
} from '../../sfu-cluster/testing/test-edge.ts';
import { mediaWorkerBin } from '../../sfu-cluster/testing/worker-bin.ts';
import {
  dtlsParametersOf,
  receiverRtpCapabilities,
  serverSideOf,
} from '../../testing/receivers/mediasoup-side.ts';
import { audioSsrc, videoSsrc } from '../../testing/receivers/plain-source.ts';
import { monotonicMs, type Receivers } from '../../testing/receivers/receivers.ts';
import { freePort, type RunningRedis, startRedis } from '../../testing/redis.ts';
import { type Server, startServer } from '../server.ts';
import type { Peer, PeerDeps, Viewer } from './peer.ts';

const nodeId = 'sfu-bench';
const readyTimeoutMs = 15_000;
const readyAskMs = 50;

const Stats = z.object({ workers: z.array(z.object({ routers: z.int() })) });
const Encodings = z.object({ encodings: z.tuple([z.object({ ssrc: z.int() })]) });

/** With `workers` above one its room must be spread over all of them; `fault` tells when it is not. */
export async function startOurs(name: string, workers: number, deps: PeerDeps): Promise<Peer> {
  const [edge, redis, receivers] = await Promise.all([
    startTestEdge(),
    startRedis(),
    deps.startReceivers(),
  ]);
  const server = await startNode(name, workers, { edge, redis, deps });
  const stream = randomUUID();
  const room = { edge, stream, receivers, url: `${server.url.replace('http', 'ws')}/room` };
  const port = await publish(room);
  return {
    name,
    receivers,
    ports: { audioPort: port, videoPort: port },
    join: () => watch(room),
    cpuSeconds: server.cpuSeconds,
    async fault() {
      const stats = Stats.parse(await (await fetch(`${server.url}/stats`, withSecret)).json());
      const used = stats.workers.filter(({ routers }) => routers > 0).length;
      return used === workers ? null : `the room is on ${used} of ${workers} workers`;
    },
    async close() {
      await server.stop();
      await Promise.all([receivers.close(), edge.close(), redis.stop()]);
    },
  };
}

interface Parts {
  edge: TestEdge;
  redis: RunningRedis;
  deps: PeerDeps;
}

async function startNode(name: string, workers: number, parts: Parts): Promise<Server> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const workerBin = mediaWorkerBin();
  const command = nodeCommand('sfu-cluster/main.ts', {
    SFU_NODE_ID: nodeId,
    SFU_PORT: String(port),
    SFU_MEDIA_PORT: '0',
    SFU_WORKERS: String(workers),
    EDGE_URL: parts.edge.url,
    NODE_SECRET: testNodeSecret,
    REDIS_URL: parts.redis.url,
    LOG_LEVEL: 'warn',
    NODE_ENV: 'production',
    ...(workerBin === undefined ? {} : { MEDIASOUP_WORKER_BIN: workerBin }),
  });
  const server = await startServer(name, url, parts.deps.pinned(command));
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    const fault = await probeReady(url, AbortSignal.timeout(readyTimeoutMs)).then(
      () => null,
      (error: Error) => error,
    );
    if (!fault) return server;
    if (performance.now() > deadline) throw fault;
    await new Promise((resolve) => setTimeout(resolve, readyAskMs));
  }
}

interface RoomOnNode {
  edge: TestEdge;
  stream: string;
  receivers: Receivers;
  url: string;
}

/** A performer whose transport is fed with plain packets; answers with the port for them. */
async function publish({ edge, stream, receivers, url }: RoomOnNode): Promise<number> {
  const ticket = await edge.ticket({ stream, node: nodeId, capabilities: ['publish'] });
  const client = await RoomClient.join(url, ticket);
  const transport = await client.request('transport.create', { direction: 'send' });
  const { transportId } = transport;
  const dtlsParameters = { ...dtlsParametersOf(receivers) };
  await client.request('transport.connect', { transportId, dtlsParameters });
  const publisher = receivers.add(serverSideOf(transport));
  await publisher.connected();
  await client.request('produce', {
    transportId,
    kind: 'audio',
    source: 'microphone',
    rtpParameters: opusParameters(audioSsrc),
  });
  await client.request('produce', {
    transportId,
    kind: 'video',
    source: 'camera',
    rtpParameters: h264Parameters([videoSsrc]),
  });
  return publisher.feed();
}

/** Does what our client does, in its order and with as few round trips. */
async function watch({ edge, stream, receivers, url }: RoomOnNode): Promise<Viewer> {
  const ticket = await edge.ticket({ stream, node: nodeId, capabilities: ['subscribe'] });
  const requestedAtMs = monotonicMs();
  const client = await RoomClient.connect(url);
  const [, transport] = await Promise.all([
    client.request('join', { version: signallingVersion, ticket }),
    client.request('transport.create', { direction: 'receive' }),
  ]);
  const { transportId } = transport;
  const rtpCapabilities = { ...receiverRtpCapabilities };
  const { consumers } = await client.request('consume', { transportId, rtpCapabilities });
  const dtlsParameters = { ...dtlsParametersOf(receivers) };
  const connecting = client.request('transport.connect', { transportId, dtlsParameters });
  const receiver = receivers.add(serverSideOf(transport));
  const consumerIds = consumers.map(({ consumerId }) => consumerId);
  await Promise.all([connecting, client.request('consumer.resume', { consumerIds })]);
  const ssrcOf = (wanted: 'audio' | 'video') => {
    const consumer = consumers.find(({ kind }) => kind === wanted);
    return Encodings.parse(consumer?.rtpParameters).encodings[0].ssrc;
  };
  return {
    receiver,
    requestedAtMs,
    ssrcs: { audio: ssrcOf('audio'), video: ssrcOf('video') },
    leave() {
      receiver.remove();
      client.close();
    },
  };
}
