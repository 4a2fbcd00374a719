// Bare mediasoup as a peer: its process (see bare-server.ts), asked over HTTP.
import { z } from 'zod';
import { nodeCommand } from '../../scripts/launch/child.ts';
import { freePort } from '../../scripts/launch/free-port.ts';
import {
  dtlsParametersOf,
  receiverRtpCapabilities,
  serverSideOf,
} from '../../testing/receivers/mediasoup-side.ts';
import { monotonicMs, type SrtpSuite } from '../../testing/receivers/receivers.ts';
import { startServer } from '../../testing/server.ts';
import type { Peer, PeerDeps } from './peer.ts';

const Ingest = z.object({ port: z.int() });
const Watched = z.looseObject({ ssrcs: z.object({ audio: z.int(), video: z.int() }) });

/** `suite`: another one than that of the bench. */
export async function startBare(name: string, deps: PeerDeps, suite?: SrtpSuite): Promise<Peer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = nodeCommand('bench/sfu/bare-server.ts', {
    PORT: String(port),
    NODE_ENV: 'production',
    MEDIASOUP_WORKER_BIN: deps.upstreamWorkerBin,
  });
  const server = await startServer(name, url, deps.pinned(command));
  const receivers = await deps.startReceivers(suite);
  const ingest = Ingest.parse(await (await fetch(url)).json());
  const wish = JSON.stringify({
    dtlsParameters: dtlsParametersOf(receivers),
    rtpCapabilities: receiverRtpCapabilities,
  });
  return {
    name,
    receivers,
    ports: { audioPort: ingest.port, videoPort: ingest.port },
    async join() {
      const requestedAtMs = monotonicMs();
      const answer = await fetch(url, { method: 'POST', body: wish });
      const watched = Watched.parse(await answer.json());
      const receiver = receivers.add(serverSideOf(watched));
      return { receiver, requestedAtMs, ssrcs: watched.ssrcs, leave: () => receiver.remove() };
    },
    cpuSeconds: server.cpuSeconds,
    fault: async () => null,
    async close() {
      await server.stop();
      await receivers.close();
    },
  };
}
