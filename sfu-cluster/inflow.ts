// An inflow: brings a room's media from the node on which it is published, for as long as somebody here wants it.
import type { PipeTransport } from 'mediasoup/types';
import type { Logger } from 'pino';
import type { ConsumerData, LayerSize, PullAnswer } from '#contract';
import { pipeDataOf } from './media/outflow.ts';
import { parseRtpParameters, parseSrtpParameters } from './media/parameters.ts';
import type { PipeListen, RoomMedia } from './media/room-media.ts';
import { NodeLink } from './node-link.ts';
import { createOutage } from './outage.ts';
import type { Pull } from './pull.ts';

/** Between attempts; doubles while they fail. */
const retryMinMs = 100;
const retryMaxMs = 2_000;
/** A room that does not show its host for so long may be published on another node by now. */
const emptyMaxMs = 1_500;
/** Sizes of so many tracks are remembered; a room has no more of them. */
const sizesToldMax = 64;

export interface InflowDeps {
  streamId: string;
  media: RoomMedia;
  listen: PipeListen;
  pull: Pull;
  log: Logger;
}

export interface Inflow {
  close(): void;
}

type From = NonNullable<PullAnswer['from']>;

/** A pipe to another node, and the link by which it is told of. */
interface Upstream {
  nodeId: string;
  link: NodeLink;
  transport: PipeTransport;
  close(): void;
}

/** Begins at once, and begins again whenever it breaks, until it is closed. */
export function openInflow({ streamId, media, listen, pull, log }: InflowDeps): Inflow {
  const outage = createOutage(log, 'the inflow from another node');
  const ending = new AbortController();
  /** In a row; whoever shows the host ends it. */
  let failures = 0;
  /** Who was tried in vain, until then. */
  let unreachable: string | undefined;

  async function run(): Promise<void> {
    let next: Upstream | null = null;
    while (!ending.signal.aborted) {
      let from: From | null = null;
      try {
        if (!next) from = await pull(streamId, unreachable);
        next ??= from && (await connect(from));
        if (next) {
          const upstream: Upstream = next;
          next = await follow(upstream);
          // Whoever breaks off may be gone.
          if (upstream.link.closed) unreachable = upstream.nodeId;
          upstream.close();
          if (next) continue;
        }
      } catch (error) {
        next = null;
        unreachable = from?.nodeId ?? unreachable;
        outage.failed(error);
      }
      failures += 1;
      await pause(
        Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(failures - 1, 10)),
        ending.signal,
      );
    }
    next?.close();
  }

  /** Rejects when no pipe could be opened. */
  async function connect(from: From): Promise<Upstream> {
    const link = await NodeLink.join(from.url, from.ticket);
    const transport = await media.openPipeTransport(listen, 'pipe-in').catch((error) => {
      link.close();
      throw error;
    });
    const close = () => {
      ending.signal.removeEventListener('abort', close);
      link.close();
      transport.close();
    };
    ending.signal.addEventListener('abort', close);
    try {
      const theirs = await link.request('pipe.open', pipeDataOf(transport));
      await transport.connect({
        ip: theirs.address,
        port: theirs.port,
        srtpParameters: parseSrtpParameters(theirs.srtpParameters),
      });
      if (ending.signal.aborted) throw new Error('nobody watches any more');
      outage.recovered();
      log.info({ from: from.nodeId }, 'media flows in from another node');
      return { nodeId: from.nodeId, link, transport, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  /**
   * Takes what the other room shows, until the link breaks or it has to be brought from another node. Answers the pipe
   * to that one if there is one already.
   */
  async function follow({ link, transport, nodeId }: Upstream): Promise<Upstream | null> {
    const producers = new Map<string, { isHost: boolean; close(): void }>();
    let asking: Promise<void> = Promise.resolve();
    /** While tracks are being taken: those that were told to have ended and are not here yet. */
    const endedMeanwhile = new Set<string>();
    /** By track: its sizes as they were told last, which may be before it has come itself. */
    const sizesTold = new Map<string, LayerSize[]>();

    function hearSizes(producerId: string, sizes: LayerSize[]): void {
      sizesTold.delete(producerId);
      sizesTold.set(producerId, sizes);
      const [oldest] = sizesTold.keys();
      if (sizesTold.size > sizesToldMax && oldest !== undefined) sizesTold.delete(oldest);
      media.tellSizes(producerId, sizes);
    }

    async function take({ consumerId, producerId, ...track }: ConsumerData): Promise<void> {
      // A guest who is here already is only leaving there.
      if (endedMeanwhile.has(consumerId) || media.isOurs(track.owner.id, track.source)) return;
      const producer = await media.publish(transport, {
        id: producerId,
        kind: track.kind,
        source: track.source,
        owner: track.owner,
        rtpParameters: parseRtpParameters(track.rtpParameters),
        isOurs: false,
      });
      if (endedMeanwhile.has(consumerId)) {
        producer.close();
        return;
      }
      producers.set(consumerId, { isHost: track.owner.isHost, close: () => producer.close() });
      media.tellSizes(producerId, sizesTold.get(producerId) ?? track.sizes);
    }

    function drop(consumerId: string): void {
      const producer = producers.get(consumerId);
      producers.delete(consumerId);
      if (producer) producer.close();
      else if (isTaking) endedMeanwhile.add(consumerId);
    }

    let isTaking = false;
    async function takeAll(): Promise<void> {
      isTaking = true;
      try {
        const { consumers } = await link.request('pipe.consume', {});
        await Promise.all(consumers.map(take));
      } finally {
        isTaking = false;
        endedMeanwhile.clear();
      }
    }

    return new Promise((resolve) => {
      let isOver = false;
      let emptyTimer: NodeJS.Timeout | null = null;
      const tellDemand = (producerId: string, spatialLayer: number) => {
        // A track of this moment is not known there yet, or not any more: it begins with all layers.
        link.request('pipe.layers', { producerId, spatialLayer }).catch(() => undefined);
      };
      const done = (next: Upstream | null = null) => {
        if (isOver) {
          next?.close();
          return;
        }
        isOver = true;
        if (emptyTimer) clearTimeout(emptyTimer);
        media.viewing.off('demand', tellDemand);
        resolve(next);
      };
      const ask = async () => {
        if (emptyTimer) clearTimeout(emptyTimer);
        await takeAll();
        if (link.roomMedia) media.hearHeld(link.roomMedia);
        if ([...producers.values()].some(({ isHost }) => isHost)) {
          failures = 0;
          unreachable = undefined;
        } else {
          await lookElsewhere();
        }
      };
      /** Where the host is not shown, the stream may be published on another node by now. */
      const lookElsewhere = async () => {
        // As long as nobody can be asked, this one is as good as any.
        const now = await pull(streamId, unreachable).catch(() => undefined);
        if (isOver) return;
        if (now === undefined || now?.nodeId === nodeId) {
          emptyTimer = setTimeout(askNext, emptyMaxMs);
        } else {
          done();
        }
      };
      /** Makes the pipe from the node that has it to be from now on, before this one leaves. */
      const moveOn = async () => {
        const from = await pull(streamId, unreachable);
        if (from && from.nodeId !== nodeId && !isOver) done(await connect(from));
      };
      // One question at a time, so that none is answered twice.
      const askNext = () => {
        asking = asking.then(ask).catch((error: unknown) => {
          if (!link.closed) log.warn({ err: error }, 'a track did not flow in');
          done();
        });
      };
      // Without it the pipe breaks later, and is made anew then.
      const leave = () => void moveOn().catch(() => undefined);
      media.viewing.on('demand', tellDemand);
      link.on('notice', (notice) => {
        if (notice.type === 'room.media') askNext();
        else if (notice.type === 'room.move') leave();
        else if (notice.type === 'producer.sizes') hearSizes(notice.producerId, notice.sizes);
        else if (notice.type === 'consumer.closed') drop(notice.consumerId);
      });
      link.once('close', () => done());
      if (link.closed) done();
      else askNext();
      if (link.isSentAway) leave();
    });
  }

  run().catch((error: unknown) => log.error({ err: error }, 'an inflow has ended by a fault'));
  return { close: () => ending.abort() };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
