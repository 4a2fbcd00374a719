// The edge as encoders know it, for tests: stream keys that are given tickets to the rooms of a scene.
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scene, TestNode } from '../../testing/room-scene.ts';

/** A node, by whatever way it is reached. */
export type Place = Pick<TestNode, 'nodeId' | 'socketUrl'>;

export interface IngestEdge {
  readonly url: string;
  /** What it was asked, as `protocol address`. */
  readonly asked: string[];
  /** A key for the stream of the running test; its tickets are of `sub` and of the session `sid`. */
  keyFor(stream: string): { key: string; sub: string; sid: string };
  /** From now on publishers are sent there. */
  placeOn(node: Place): void;
  /** From now on the key is refused with this status. */
  refuse(key: string, status: number): void;
  /** From now on it is not. */
  allow(key: string): void;
  close(): Promise<void>;
}

export async function startIngestEdge(scene: Scene): Promise<IngestEdge> {
  const owners = new Map<string, { stream: string; sub: string; sid: string }>();
  const refused = new Map<string, number>();
  const asked: string[] = [];
  let place: Place | null = null;
  const server = createServer(async (request, response) => {
    const key = (request.headers.authorization ?? '').replace('Bearer ', '');
    const { protocol } = JSON.parse((await request.toArray()).join(''));
    asked.push(`${protocol} ${request.headers['x-encoder']}`);
    const owner = owners.get(key);
    const status = refused.get(key) ?? (owner ? 201 : 401);
    if (status !== 201 || !owner) {
      response.writeHead(status).end();
      return;
    }
    const { stream, sub, sid } = owner;
    const { nodeId, socketUrl } = place ?? scene.node;
    const wish = { stream, sub, sid, node: nodeId, capabilities: ['publish' as const] };
    const ticket = await scene.edge.ticket(wish);
    const body = { streamId: stream, room: { url: socketUrl, ticket, iceServers: [] } };
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    keyFor(stream) {
      const key = `lpk_${randomBytes(32).toString('base64url')}`;
      const owner = { stream, sub: randomUUID(), sid: randomUUID() };
      owners.set(key, owner);
      return { key, ...owner };
    },
    placeOn(node) {
      place = node;
    },
    refuse: (key, status) => void refused.set(key, status),
    allow: (key) => void refused.delete(key),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
