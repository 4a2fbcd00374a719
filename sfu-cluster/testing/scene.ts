// A scene for tests: an edge and a node for the tests of one file, a new stream for each, and who comes in.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { assert, type ControlMessage, controlChannel, type Revocation } from '#contract';
import { type RunningRedis, startRedis } from '../../testing/redis.ts';
import type { Room } from '../room.ts';
import { RoomClient } from './room-client.ts';
import { h264Parameters, opusParameters } from './rtp-source.ts';
import { startTestEdge, type TestEdge, type TicketWish } from './test-edge.ts';
import { startTestNode, type TestNode, type TestNodeSettings } from './test-node.ts';

type SceneSettings = Partial<Omit<TestNodeSettings, 'edgeUrl' | 'redisUrl'>>;

export interface Scene {
  readonly edge: TestEdge;
  readonly node: TestNode;
  /** A Redis of its own: what the edges of other tests revoke is not heard here. */
  readonly redisUrl: string;
  readonly redis: Redis;
  /** The stream of the test that runs. */
  readonly stream: string;
  /** The room of that stream on the node. */
  readonly room: Room;
  /** A socket that has joined with such a ticket; without wishes it hears events only. */
  join(wish?: Partial<TicketWish>, node?: TestNode): Promise<RoomClient>;
  performer(sub?: string): Promise<RoomClient>;
  viewer(sub?: string): Promise<RoomClient>;
  transcoder(): Promise<RoomClient>;
  /** The edge revokes something, and tells it on Redis. */
  revoke(what: Parameters<TestEdge['revoke']>[0]): Promise<Revocation>;
}

/** Called once at the head of a test file. */
export function useScene(settings: SceneSettings = {}): Scene {
  let started: { edge: TestEdge; node: TestNode; server: RunningRedis; redis: Redis } | null = null;
  let stream = '';

  beforeAll(async () => {
    const [edge, server] = await Promise.all([startTestEdge(), startRedis()]);
    const node = await startTestNode({ edgeUrl: edge.url, redisUrl: server.url, ...settings });
    started = { edge, node, server, redis: new Redis(server.url) };
  });
  beforeEach(() => {
    stream = randomUUID();
  });
  afterAll(async () => {
    await started?.node.close();
    await started?.edge.close();
    started?.redis.disconnect();
    await started?.server.stop();
  });

  const now = () => {
    assert(started, 'the scene is set before the tests');
    return started;
  };
  const scene: Scene = {
    get edge() {
      return now().edge;
    },
    get node() {
      return now().node;
    },
    get redisUrl() {
      return now().server.url;
    },
    get redis() {
      return now().redis;
    },
    get stream() {
      return stream;
    },
    get room() {
      const room = now().node.rooms.find(stream);
      assert(room, 'somebody is in the room');
      return room;
    },
    async join(wish = {}, node = now().node) {
      const { edge } = now();
      const ticket = await edge.ticket({ stream, node: node.nodeId, ...wish });
      return RoomClient.join(node.socketUrl, ticket);
    },
    performer: (sub = randomUUID()) => scene.join({ sub, capabilities: ['publish'] }),
    viewer: (sub = randomUUID()) => scene.join({ sub, capabilities: ['subscribe'] }),
    transcoder: () => scene.join({ aud: 'node' }),
    async revoke(what) {
      const { edge, redis } = now();
      const message: ControlMessage = { type: 'revoked', revocation: edge.revoke(what) };
      await redis.publish(controlChannel, JSON.stringify(message));
      return message.revocation;
    },
  };
  return scene;
}

/** An SSRC that no other track has. */
export function freshSsrc(): number {
  return Math.floor(Math.random() * 2 ** 31) + 1;
}

/** Publishes a camera of so many layers on a transport of its own. */
export async function publishCamera(client: RoomClient, layers = 3, on?: string): Promise<string> {
  const transportId =
    on ?? (await client.request('transport.create', { direction: 'send' })).transportId;
  const { producerId } = await client.request('produce', {
    transportId,
    kind: 'video',
    source: 'camera',
    rtpParameters: h264Parameters(Array.from({ length: layers }, freshSsrc)),
  });
  return producerId;
}

/** Publishes a microphone on a transport of its own, which takes the place of one that was there, or on this one. */
export async function publishMicrophone(client: RoomClient, on?: string): Promise<string> {
  const transportId =
    on ?? (await client.request('transport.create', { direction: 'send' })).transportId;
  const { producerId } = await client.request('produce', {
    transportId,
    kind: 'audio',
    source: 'microphone',
    rtpParameters: opusParameters(freshSsrc()),
  });
  return producerId;
}
