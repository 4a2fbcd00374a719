// Packets of a track as they leave a router, for tests that must see it flow.
import type { Router } from 'mediasoup/types';
import { expect } from 'vitest';
import { routerRtpCapabilities } from '../media/codecs.ts';

const enough = 10;

/** Resolves when so many have come; answers how many. */
export async function packetsFlow(router: Router, producerId: string): Promise<number> {
  const transport = await router.createDirectTransport();
  const consumer = await transport.consume({ producerId, rtpCapabilities: routerRtpCapabilities });
  let packets = 0;
  consumer.on('rtp', () => {
    packets += 1;
  });
  await expect.poll(() => packets, { timeout: 5_000 }).toBeGreaterThan(enough);
  transport.close();
  return packets;
}
