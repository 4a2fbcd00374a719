// A gate for tests: stands before a node, and holds back the frames that it is told to.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { ClientFrame } from '#contract';
import type { TestNode } from '../../testing/room-scene.ts';
import type { Place } from './ingest-edge.ts';

export interface Gate {
  /** The node behind it. */
  readonly place: Place;
  /** Sockets that have come by it. */
  readonly sockets: number;
  /** Frames that wait. */
  readonly held: number;
  /** From now on frames of this type wait. */
  hold(type: ClientFrame['type']): void;
  /** What waits goes on, and nothing waits any more. */
  release(): void;
  close(): Promise<void>;
}

export async function startGate(node: TestNode): Promise<Gate> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  let heldType: string | null = null;
  const held: (() => void)[] = [];
  let sockets = 0;
  server.on('connection', (near) => {
    sockets += 1;
    const far = new WebSocket(node.socketUrl);
    const opened = once(far, 'open');
    near.on('message', async (data) => {
      const text = String(data);
      await opened;
      if (JSON.parse(text).type === heldType) held.push(() => far.send(text));
      else far.send(text);
    });
    far.on('message', (data) => near.send(String(data)));
    far.once('close', (code) => near.close(code > 3_000 ? code : undefined));
    near.once('close', () => far.close());
  });
  const { port } = server.address() as AddressInfo;
  return {
    place: { nodeId: node.nodeId, socketUrl: `ws://127.0.0.1:${port}/room` },
    get sockets() {
      return sockets;
    },
    get held() {
      return held.length;
    },
    hold(type) {
      heldType = type;
    },
    release() {
      heldType = null;
      for (const go of held.splice(0)) go();
    },
    async close() {
      for (const socket of server.clients) socket.terminate();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
