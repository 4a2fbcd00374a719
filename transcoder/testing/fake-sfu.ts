// A stand-in for an SFU node in tests: speaks the transcoder's half of the signalling and taps a publisher.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { ClientFrame, type MediaSource, type ServerFrame, type TapTrack } from '#contract';
import type { Publisher } from './publisher.ts';
import { tapTrackOf } from './rtp-sender.ts';

export interface FakeSfu {
  readonly url: string;
  /** Tickets that came with `join`, in order. */
  readonly tickets: string[];
  readonly counts: { taps: number; keyframes: number };
  /** Tells all links which sources there are. */
  announce(sources: MediaSource[]): void;
  /** What can be tapped from now on; told to all links. */
  setSources(sources: MediaSource[]): void;
  /** Cuts all links. */
  drop(): void;
  /** Later joins are refused. */
  refuseJoins(refuse: boolean): void;
  close(): Promise<void>;
}

export interface FakeSfuOptions {
  publisher: Publisher;
  videoMimeType?: string;
  /** Keyframe requests reach the publisher. */
  keyframes?: boolean;
}

export async function startFakeSfu(options: FakeSfuOptions): Promise<FakeSfu> {
  const { publisher } = options;
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/room' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const tickets: string[] = [];
  const counts = { taps: 0, keyframes: 0 };
  let refusing = false;
  let offered: MediaSource[] = ['microphone', 'camera'];

  function announce(sources: MediaSource[]): void {
    const notice: ServerFrame = { type: 'room.media', sources, held: [], guests: [] };
    for (const socket of server.clients) socket.send(JSON.stringify(notice));
  }

  function tracks(audioPort: number, videoPort: number): TapTrack[] {
    const out: TapTrack[] = [];
    if (publisher.audio && offered.includes('microphone')) {
      const shape = { kind: 'audio', source: 'microphone', mimeType: 'audio/opus' } as const;
      out.push(tapTrackOf(publisher.audio, { ...shape, port: audioPort, spatialLayer: null }));
    }
    if (publisher.video && offered.includes('camera')) {
      const mimeType = options.videoMimeType ?? 'video/H264';
      const shape = { kind: 'video', source: 'camera', mimeType } as const;
      out.push(tapTrackOf(publisher.video, { ...shape, port: videoPort, spatialLayer: 2 }));
    }
    return out;
  }

  function serve(socket: WebSocket, frame: ClientFrame): ServerFrame {
    switch (frame.type) {
      case 'join':
        tickets.push(frame.ticket);
        if (refusing) {
          return { type: 'error', id: frame.id, code: 'ticket-used', detail: 'used before' };
        }
        return {
          type: 'response',
          id: frame.id,
          data: {
            peerId: crypto.randomUUID(),
            nodeId: 'sfu-test',
            streamId: crypto.randomUUID(),
            capabilities: ['subscribe'],
            routerRtpCapabilities: {},
            publishing: true,
            viewers: 0,
          },
        };
      case 'tap.open': {
        counts.taps++;
        const [videoPort = 0] = frame.videoPorts;
        publisher.target({ audio: frame.audioPort, video: videoPort });
        const data = { tracks: tracks(frame.audioPort, videoPort) };
        return { type: 'response', id: frame.id, data };
      }
      case 'tap.keyframe':
        counts.keyframes++;
        if (options.keyframes) publisher.keyframe();
        return { type: 'response', id: frame.id, data: {} };
      case 'ping':
        return { type: 'response', id: frame.id, data: {} };
      default:
        socket.close();
        return { type: 'error', id: frame.id, code: 'forbidden', detail: 'not for transcoders' };
    }
  }

  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const frame = ClientFrame.parse(JSON.parse(data.toString()));
      socket.send(JSON.stringify(serve(socket, frame)));
    });
    socket.on('close', () => {
      if (server.clients.size === 0) publisher.target(null);
    });
  });

  return {
    url: `ws://127.0.0.1:${port}/room`,
    tickets,
    counts,
    announce,
    setSources(sources) {
      offered = sources;
      announce(sources);
    },
    drop() {
      for (const socket of server.clients) socket.terminate();
    },
    refuseJoins(refuse) {
      refusing = refuse;
    },
    async close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
