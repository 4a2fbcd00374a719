// An SFU node in a process of its own, and people in its rooms who are native receivers: for benches and proofs.
import { z } from 'zod';
import { signallingVersion } from '#contract';
import { type Command, nodeCommand } from '../scripts/launch/child.ts';
import { freePort } from '../scripts/launch/free-port.ts';
import { probeReady } from '../scripts/launch/probe.ts';
import { RoomClient } from '../sfu-cluster/testing/room-client.ts';
import { h264Parameters, opusParameters } from '../sfu-cluster/testing/rtp-source.ts';
import { startTestEdge, testNodeSecret, withSecret } from '../sfu-cluster/testing/test-edge.ts';
import { mediaWorkerBin } from '../sfu-cluster/testing/worker-bin.ts';
import {
  dtlsParametersOf,
  receiverRtpCapabilities,
  serverSideOf,
} from './receivers/mediasoup-side.ts';
import { audioSsrc, videoSsrc } from './receivers/plain-source.ts';
import { monotonicMs, type Receiver, type Receivers } from './receivers/receivers.ts';
import { type Server, startServer } from './server.ts';

export { h264Parameters, opusParameters, RoomClient, startTestEdge, withSecret };

const readyTimeoutMs = 15_000;
const readyAskMs = 50;
/** A camera and a microphone. */
const tracksAwaited = 2;

const Encodings = z.object({ encodings: z.tuple([z.object({ ssrc: z.int() })]) });

export interface SfuNodeOptions {
  nodeId: string;
  edgeUrl: string;
  redisUrl: string;
  workers?: number;
  /** Where it serves HTTP and sockets. */
  address?: string;
  port?: number;
  /** Further environment variables. */
  env?: Record<string, string>;
  /** Changes how the process is started: on which processor, in which network. */
  wrap?: (command: Command) => Command;
  /** Hears what it prints. */
  onLine?: (line: string) => void;
}

export interface SfuNode extends Server {
  /** Of its room socket. */
  socketUrl: string;
}

/** Starts it and waits until it takes people in. */
export async function startSfuNode(options: SfuNodeOptions): Promise<SfuNode> {
  const { nodeId, edgeUrl, redisUrl, workers = 1, env, onLine, address = '127.0.0.1' } = options;
  const { wrap = (command) => command, port = await freePort() } = options;
  const url = `http://${address}:${port}`;
  const socketUrl = `ws://${address}:${port}/room`;
  const workerBin = mediaWorkerBin();
  const command = nodeCommand('sfu-cluster/main.ts', {
    SFU_NODE_ID: nodeId,
    SFU_HOST: address,
    SFU_PORT: String(port),
    SFU_PUBLIC_URL: socketUrl,
    SFU_MEDIA_PORT: '0',
    SFU_WORKERS: String(workers),
    EDGE_URL: edgeUrl,
    NODE_SECRET: testNodeSecret,
    REDIS_URL: redisUrl,
    LOG_LEVEL: 'warn',
    NODE_ENV: 'production',
    ...(workerBin === undefined ? {} : { MEDIASOUP_WORKER_BIN: workerBin }),
    ...env,
  });
  const server = await startServer(nodeId, url, wrap(command), onLine);
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    const fault = await probeReady(url, AbortSignal.timeout(readyTimeoutMs)).then(
      () => null,
      (error: Error) => error,
    );
    if (!fault) return { ...server, socketUrl };
    if (performance.now() > deadline) throw fault;
    await new Promise((resolve) => setTimeout(resolve, readyAskMs));
  }
}

/** Of what a node logs: an error, or worse. */
export function isFaultLine(line: string): boolean {
  return /"level":(50|60|"error"|"fatal")/.test(line);
}

export interface Seat {
  socketUrl: string;
  ticket: string;
  receivers: Receivers;
  /** Cuts the socket, also one on which somebody still waits for something. */
  signal?: AbortSignal;
}

/** A socket that has joined. */
export async function enterRoom(seat: Omit<Seat, 'receivers'>): Promise<RoomClient> {
  const client = await RoomClient.connect(seat.socketUrl);
  seat.signal?.addEventListener('abort', () => client.cut());
  await client.request('join', { version: signallingVersion, ticket: seat.ticket });
  return client;
}

/** A performer whose transport is fed with plain packets; answers with the port for them. */
export async function publishPlain({ receivers, ...seat }: Seat) {
  const client = await enterRoom(seat);
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
  return {
    client,
    port: await publisher.feed(),
    leave() {
      publisher.remove();
      client.close();
    },
  };
}

export interface WatchingReceiver {
  client: RoomClient;
  receiver: Receiver;
  /** When it began to ask, by the receivers' clock. */
  requestedAtMs: number;
  ssrcs: { audio: number; video: number };
  leave(): void;
}

/** Does what our client does, in its order and with as few round trips. */
export async function watchRoom(seat: Seat): Promise<WatchingReceiver> {
  const { socketUrl, ticket, receivers, signal } = seat;
  const requestedAtMs = monotonicMs();
  const client = await RoomClient.connect(socketUrl);
  signal?.addEventListener('abort', () => client.cut());
  const [, transport] = await Promise.all([
    client.request('join', { version: signallingVersion, ticket }),
    client.request('transport.create', { direction: 'receive' }),
  ]);
  const { transportId } = transport;
  const rtpCapabilities = { ...receiverRtpCapabilities };
  const { consumers } = await client.request('consume', { transportId, rtpCapabilities });
  // What comes from another node comes when somebody here has asked for it.
  while (consumers.length < tracksAwaited) {
    const have = client.of('room.media').length;
    const more = await client.request('consume', { transportId, rtpCapabilities });
    consumers.push(...more.consumers);
    if (consumers.length >= tracksAwaited) break;
    await client.wait(() => client.of('room.media').length > have);
  }
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
    client,
    receiver,
    requestedAtMs,
    ssrcs: { audio: ssrcOf('audio'), video: ssrcOf('video') },
    leave() {
      receiver.remove();
      client.close();
    },
  };
}
