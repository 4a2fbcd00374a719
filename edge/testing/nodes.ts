// SFU nodes for tests of the edge: one that streams are placed on and nobody speaks to, and one that takes offers.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { sdpMediaType } from '#contract';
import { nodeSecret, type TestEdge } from '../../testing/edge.ts';

const hourMs = 3_600_000;
const nowhere = 'ws://127.0.0.1:1/room';

/** Lists a node for as long as a test file may take. Answers what takes it off the list. */
export async function listNode(edge: TestEdge, nodeId: string): Promise<() => Promise<void>> {
  return list(edge, { nodeId, url: nowhere });
}

async function list(
  edge: TestEdge,
  { nodeId, url }: { nodeId: string; url: string },
): Promise<() => Promise<void>> {
  const { redis } = edge.parts.deps;
  const node = { nodeId, url, load: 0.1, seenAt: Date.now() + hourMs };
  await redis.run((client) => client.hset('sfu:nodes', { [nodeId]: node }));
  return async () => {
    await redis.run((client) => client.hdel('sfu:nodes', nodeId));
  };
}

/** An offer as it has reached a node. */
interface OfferSeen {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface OfferNode {
  nodeId: string;
  url: string;
  /** What has come, oldest first. */
  seen: OfferSeen[];
  /** Answers the next offers so; without an argument as a node does that takes them. */
  answer(how?: (response: ServerResponse, offer: OfferSeen) => void): void;
  /** From now on the stream is published here. */
  hold(streamId: string): Promise<void>;
  close(): Promise<void>;
}

const take = (response: ServerResponse, { path }: OfferSeen) =>
  void response
    .writeHead(201, {
      'content-type': sdpMediaType,
      location: `${path.slice(1)}/${'a'.repeat(43)}`,
      etag: '"session-1"',
      'accept-patch': 'application/trickle-ice-sdpfrag',
    })
    .end('v=0\r\n');

/** A node whose answers to offers are what the test says, at the place that the edge's configuration keeps for it. */
export async function startOfferNode(edge: TestEdge, nodeId: string): Promise<OfferNode> {
  const url = edge.offerNodeUrl;
  const seen: OfferSeen[] = [];
  let how: NonNullable<Parameters<OfferNode['answer']>[0]> = take;
  const server = createServer(async (request, response) => {
    const { url: path = '', headers } = request;
    const offer = { path, headers, body: await text(request) };
    seen.push(offer);
    how(response, offer);
  });
  const { port, hostname } = new URL(url);
  server.listen(Number(port), hostname);
  await once(server, 'listening');
  const unlist = await list(edge, { nodeId, url });
  return {
    nodeId,
    url,
    seen,
    answer: (given = take) => {
      how = given;
    },
    async hold(streamId) {
      const streams = [{ streamId, publishing: true, videoCodec: 'H264', viewers: 0 }];
      await edge.call('POST', '/internal/nodes/report', {
        headers: { authorization: `Bearer ${nodeSecret}` },
        body: { nodeId, url, streams },
      });
    },
    async close() {
      await unlist();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
