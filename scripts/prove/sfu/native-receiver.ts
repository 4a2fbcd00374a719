// A native receiver in place of the browser's: what `client/media/receiver.ts` does with a socket, and when its picture
// flowed.
import { signal } from '@preact/signals';
import { z } from 'zod';
import type { ConsumerData, MediaSource } from '#contract';
import type { PathState } from '../../../client/media/ice-guard.ts';
import type { Notice, RoomSocket } from '../../../client/media/room-socket.ts';
import type { LiveMedia } from '../../../client/models/live-side.ts';
import {
  dtlsParametersOf,
  receiverRtpCapabilities,
  serverSideOf,
} from '../../../testing/receivers/mediasoup-side.ts';
import type { Receiver, Receivers, Spell } from '../../../testing/receivers/receivers.ts';

const Encodings = z.object({ encodings: z.tuple([z.object({ ssrc: z.int() })]) });

export interface NativeMedia extends LiveMedia {
  nodeId: string;
  /** When packets of a track came; also after its end. */
  spells(kind: 'audio' | 'video'): Promise<Spell[]>;
}

/**
 * `keeps` leaves the transport open after its end here, so that what comes is what the node sends, and not what a
 * viewer takes.
 */
export async function openNativeReceiver(
  socket: RoomSocket,
  receivers: Receivers,
  keeps: boolean,
): Promise<NativeMedia> {
  const transport = await socket.createTransport('receive');
  const { transportId } = transport;
  const flowing = signal(false);
  const pictured = signal(false);
  const path = signal<PathState>('new');
  const tracks: { kind: 'audio' | 'video'; ssrc: number }[] = [];
  const taken = new Map<string, { producerId: string; source: MediaSource }>();
  let receiver: Receiver | null = null;
  let asking: Promise<void> = Promise.resolve();
  let closed = false;

  async function consume(): Promise<void> {
    if (closed) return;
    const { consumers } = await socket.request('consume', {
      transportId,
      rtpCapabilities: { ...receiverRtpCapabilities },
    });
    const known = new Set([...taken.values()].map(({ producerId }) => producerId));
    const fresh = consumers.filter(({ producerId }) => !known.has(producerId));
    if (fresh.length === 0 || closed) return;
    receiver ??= connect();
    for (const data of fresh) take(data, receiver);
    await socket.request('consumer.resume', {
      consumerIds: fresh.map(({ consumerId }) => consumerId),
    });
  }

  function connect(): Receiver {
    const dtlsParameters = { ...dtlsParametersOf(receivers) };
    socket.request('transport.connect', { transportId, dtlsParameters }).catch(() => {
      socket.close();
    });
    const made = receivers.add(serverSideOf(transport));
    made.connected().then(
      () => {
        path.value = 'connected';
      },
      () => undefined,
    );
    made.failed.then(() => {
      flowing.value = false;
      path.value = 'lost';
    });
    return made;
  }

  function take(
    { consumerId, producerId, kind, source, rtpParameters }: ConsumerData,
    on: Receiver,
  ) {
    const { ssrc } = Encodings.parse(rtpParameters).encodings[0];
    taken.set(consumerId, { producerId, source });
    tracks.push({ kind, ssrc });
    on.firstPacket(ssrc).then(
      () => {
        flowing.value = true;
        if (kind === 'video') pictured.value = true;
      },
      () => undefined,
    );
  }

  /** One question at a time, so that none is answered twice. */
  function ask(): Promise<void> {
    const asked = asking.then(consume);
    asking = asked.catch(() => undefined);
    return asked;
  }

  function hear(notice: Notice): void {
    if (notice.type === 'consumer.closed') taken.delete(notice.consumerId);
    if (notice.type === 'producer.closed') {
      for (const [id, { producerId }] of taken)
        if (producerId === notice.producerId) taken.delete(id);
    }
    if (notice.type !== 'room.media') return;
    const have = new Set([...taken.values()].map(({ source }) => source));
    if (notice.sources.some((source) => !have.has(source))) ask().catch(() => undefined);
  }

  const stopHearing = socket.onNotice(hear);
  await ask();
  return {
    nodeId: socket.joined.nodeId,
    // Nobody looks at it.
    stream: Object.create(null),
    flowing,
    pictured,
    path,
    latencyMs: signal(null),
    sizes: signal([]),
    guests: signal([]),
    async spells(kind) {
      const on = receiver;
      if (!on) return [];
      const own = tracks.filter((track) => track.kind === kind);
      // One at a time: the program is asked about the whole receiver each time.
      const found: Spell[] = [];
      for (const { ssrc } of own) found.push(...(await on.spells(ssrc)));
      return found;
    },
    close() {
      if (closed) return;
      closed = true;
      stopHearing();
      if (!keeps) receiver?.remove();
      flowing.value = false;
    },
  };
}
