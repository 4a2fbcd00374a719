// The order of layers: from the smallest picture up, whatever the order in which an encoder lists them.
import type { Consumer, Producer, Router } from 'mediasoup/types';
import type { LayerSize } from '#contract';
import { routerRtpCapabilities } from '../media/codecs.ts';
import { pictureSize } from '../media/picture-size.ts';

/** After the first layer has told its size the others have so long: encoders begin with few. */
export const othersAwaitedMs = 500;
/** Sizes that have not been told so long after the first packet will not be: then the list stands as it is. */
const sizesAwaitedMs = 5_000;

const unknownSize = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };

/**
 * Encoders list their best layer first (RFC 8853 asks for it) or last (browsers do), so sizes decide. A layer that does
 * not flow yet is a larger one: encoders begin with what surely fits the line.
 */
function orderLayers(listed: readonly string[], sizes: ReadonlyMap<string, LayerSize>): string[] {
  const sizeOf = (rid: string | undefined) => {
    const { width, height } = sizes.get(rid ?? '') ?? unknownSize;
    return width * height;
  };
  if (listed.every((rid) => sizes.has(rid))) {
    return listed.toSorted((a, b) => sizeOf(a) - sizeOf(b));
  }
  const isDescending = sizeOf(listed[0]) > sizeOf(listed.at(-1));
  return isDescending ? listed.toReversed() : [...listed];
}

export interface LayerOrder {
  /** From the smallest picture up. */
  rids: string[];
  /** By name: of those that have told theirs. */
  sizes: ReadonlyMap<string, LayerSize>;
}

/** Looks at the keyframes of all layers of a track that nobody else sees; null when it ends meanwhile. */
export async function findLayerOrder(
  router: Router,
  producer: Producer,
  listed: readonly string[],
): Promise<LayerOrder | null> {
  const transport = await router.createDirectTransport();
  try {
    // As for another node: every layer under a number of its own, in the order in which they were listed.
    const consumer = await transport.consume({
      producerId: producer.id,
      rtpCapabilities: routerRtpCapabilities,
      pipe: true,
    });
    const sizes = await watchSizes(consumer, producer, listed);
    return producer.closed ? null : { rids: orderLayers(listed, sizes), sizes };
  } finally {
    transport.close();
  }
}

function watchSizes(
  consumer: Consumer,
  producer: Producer,
  listed: readonly string[],
): Promise<Map<string, LayerSize>> {
  const { encodings = [], codecs } = consumer.rtpParameters;
  const mimeType = codecs[0]?.mimeType ?? '';
  const names = new Map(encodings.map(({ ssrc }, place) => [ssrc, listed[place]]));
  const sizes = new Map<string, LayerSize>();
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    function done(): void {
      clearTimeout(timer);
      consumer.off('rtp', look);
      resolve(sizes);
    }
    function look(packet: Buffer): void {
      const rid = names.get(packet.readUInt32BE(8));
      if (rid === undefined || sizes.has(rid)) return;
      const size = pictureSize(packet, mimeType);
      if (size === null) return;
      sizes.set(rid, size);
      if (sizes.size === 1) {
        clearTimeout(timer);
        timer = setTimeout(done, othersAwaitedMs);
      }
      if (sizes.size === listed.length) done();
    }
    // The first score comes with the first packet.
    producer.observer.once('score', () => {
      timer ??= setTimeout(done, sizesAwaitedMs);
    });
    consumer.on('rtp', look);
    consumer.observer.once('close', done);
    producer.observer.once('close', done);
    if (consumer.closed || producer.closed) done();
  });
}
