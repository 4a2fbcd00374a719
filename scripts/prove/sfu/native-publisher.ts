// A native publisher in place of the browser's: what `client/media/publisher.ts` does with a socket.
import { Worker } from 'node:worker_threads';
import { signal } from '@preact/signals';
import type { PathState } from '../../../client/media/ice-guard.ts';
import type { RoomSocket } from '../../../client/media/room-socket.ts';
import type { PublisherHandle } from '../../../client/models/sending.ts';
import { dtlsParametersOf, serverSideOf } from '../../../testing/receivers/mediasoup-side.ts';
import { audioSsrc, videoSsrc } from '../../../testing/receivers/plain-source.ts';
import type { Receivers } from '../../../testing/receivers/receivers.ts';
import { h264Parameters, opusParameters } from '../../../testing/sfu-node.ts';

/** Two packets a frame: what counts is when frames come, and not how large they are. */
const bitrateBps = 500_000;

export async function openNativePublisher(
  socket: RoomSocket,
  receivers: Receivers,
): Promise<PublisherHandle> {
  const path = signal<PathState>('new');
  const transport = await socket.createTransport('send');
  const { transportId } = transport;
  const sender = receivers.add(serverSideOf(transport));
  let source: Worker | null = null;
  let closed = false;
  const stopHearing = socket.onNotice((notice) => {
    if (notice.type === 'producer.closed') path.value = 'lost';
  });
  function close(): void {
    if (closed) return;
    closed = true;
    stopHearing();
    sender.remove();
    source?.terminate();
  }
  sender.failed.then(() => {
    path.value = 'lost';
  });
  async function send(): Promise<void> {
    const port = await sender.feed();
    // Browsers encode nothing before the line stands either.
    await sender.connected();
    if (closed) return;
    const workerData = { port, bitrateBps };
    source = new Worker(new URL('./source-thread.ts', import.meta.url), { workerData });
  }
  send().catch(() => undefined);
  try {
    const dtlsParameters = { ...dtlsParametersOf(receivers) };
    await Promise.all([
      socket.request('transport.connect', { transportId, dtlsParameters }),
      socket.request('produce', {
        ...{ transportId, kind: 'audio', source: 'microphone' },
        rtpParameters: opusParameters(audioSsrc),
      }),
      socket.request('produce', {
        ...{ transportId, kind: 'video', source: 'camera' },
        rtpParameters: h264Parameters([videoSsrc]),
      }),
    ]);
  } catch (error) {
    close();
    throw error;
  }
  return {
    path,
    health: signal(null),
    held: signal({ sound: false, picture: false }),
    replaceVideo: async () => undefined,
    replaceAudio: async () => undefined,
    close,
  };
}
