// Tests of a media worker's addresses: what it listens on, and what browsers are told of it.
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../scripts/launch/free-port.ts';
import { hasIpv6Loopback } from '../../testing/loopback.ts';
import { readConfig } from '../config.ts';
import { mediaWorkerBin } from '../testing/worker-bin.ts';
import { MediaWorker } from './worker.ts';

let worker: MediaWorker | undefined;
afterEach(() => worker?.close());

/** The candidates of a transport, the most preferred first. */
async function candidatesOf(env: Record<string, string>): Promise<string[]> {
  const { media } = readConfig({
    EDGE_URL: 'http://127.0.0.1:1',
    NODE_SECRET: 's'.repeat(32),
    REDIS_URL: 'redis://127.0.0.1:1',
    MEDIASOUP_WORKER_BIN: mediaWorkerBin(),
    ...env,
  });
  worker = await MediaWorker.create(1, media, pino({ level: 'silent' }));
  const router = await worker.createRouter();
  const transport = await router.createWebRtcTransport({
    webRtcServer: worker.webRtcServer,
    enableUdp: true,
    enableTcp: true,
    preferUdp: true,
  });
  return transport.iceCandidates
    .toSorted((one, other) => other.priority - one.priority)
    .map(({ protocol, address, port }) => `${protocol} ${address} ${port}`);
}

test.runIf(hasIpv6Loopback)(
  'it is heard on one port of every address, over UDP and TCP, and UDP comes first',
  async () => {
    const port = await freePort();
    const candidates = await candidatesOf({
      SFU_MEDIA_LISTEN_ADDRESS: '127.0.0.1,::1',
      SFU_MEDIA_PORT: String(port - 1),
    });
    expect(candidates).toEqual([
      `udp 127.0.0.1 ${port}`,
      `udp ::1 ${port}`,
      `tcp 127.0.0.1 ${port}`,
      `tcp ::1 ${port}`,
    ]);
  },
);

test.runIf(hasIpv6Loopback)(
  'all addresses of both families share a port, and browsers are told the announced ones',
  async () => {
    const port = await freePort();
    const candidates = await candidatesOf({
      SFU_MEDIA_LISTEN_ADDRESS: '0.0.0.0,::',
      SFU_MEDIA_ANNOUNCED_ADDRESS: '203.0.113.4,2001:db8::4',
      SFU_MEDIA_PORT: String(port - 1),
    });
    expect(candidates).toEqual([
      `udp 203.0.113.4 ${port}`,
      `udp 2001:db8::4 ${port}`,
      `tcp 203.0.113.4 ${port}`,
      `tcp 2001:db8::4 ${port}`,
    ]);
  },
);
