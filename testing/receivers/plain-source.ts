// A publisher without a browser: H.264 and Opus at a steady rate, as plain RTP to UDP ports of this machine.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const frameRate = 30;
const audioPacketMs = 20;
const audioPayloadBytes = 100;
/** What is left of an Ethernet frame when IP, UDP, RTP and SRTP have taken theirs, and a little less. */
const payloadBytesMax = 1_180;
const tickMs = 4;
/** A source that has been held up for longer does not make up for it. */
const delayMsMax = 200;
/** A browser makes no second keyframe sooner. */
const keyframeIntervalMs = 300;

export const videoSsrc = 1_000;
export const audioSsrc = 2_000;
export const videoPayloadType = 109;
export const audioPayloadType = 111;

/** Single NAL units: a sequence parameter set opens a keyframe, a slice is anything else. */
const nalParameterSet = 0x67;
const nalSlice = 0x41;
const rtcpPayloadFeedback = 206;
const feedbackPli = 1;
const feedbackFir = 4;

export interface PlainSourceOptions {
  /** Payload of both tracks together. */
  bitrateBps: number;
  audioPort: number;
  /** The same port as that of the audio will do. */
  videoPort: number;
  /** Leaves out every nth packet of each track, as a bad network does. */
  dropEvery?: number;
}

export interface PlainSource {
  /** What goes out while it runs, of both tracks. */
  readonly packetsPerSecond: number;
  /** Packets that have gone out so far. */
  readonly sent: { audio: number; video: number };
  start(): void;
  /** What is sent next goes on where this ends. */
  stop(): void;
  close(): Promise<void>;
}

interface TrackState {
  head: Buffer;
  clockRate: number;
  port: number;
  packetsPerFrame: number;
  intervalMs: number;
  packets: number;
  sent: number;
  dueAtMs: number;
}

export async function openPlainSource(options: PlainSourceOptions): Promise<PlainSource> {
  const audioBps = (audioPayloadBytes * 8 * 1_000) / audioPacketMs;
  const frameBytes = (options.bitrateBps - audioBps) / 8 / frameRate;
  const packetsPerFrame = Math.ceil(frameBytes / payloadBytesMax);
  const payloads = {
    audio: Buffer.alloc(audioPayloadBytes, 0xfc),
    video: Buffer.alloc(Math.round(frameBytes / packetsPerFrame), 0xa5),
  };
  const tracks: Record<'audio' | 'video', TrackState> = {
    audio: {
      head: headOf(audioPayloadType, audioSsrc),
      clockRate: 48_000,
      port: options.audioPort,
      packetsPerFrame: 1,
      intervalMs: audioPacketMs,
      packets: 0,
      sent: 0,
      dueAtMs: 0,
    },
    video: {
      head: headOf(videoPayloadType, videoSsrc),
      clockRate: 90_000,
      port: options.videoPort,
      packetsPerFrame,
      intervalMs: 1_000 / frameRate / packetsPerFrame,
      packets: 0,
      sent: 0,
      dueAtMs: 0,
    },
  };
  let keyframeWanted = true;
  let keyframeAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;

  const socket = createSocket('udp4');
  socket.on('message', (message) => {
    if (asksForKeyframe(message)) keyframeWanted = true;
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');

  function send(kind: 'audio' | 'video', nowMs: number): void {
    const track = tracks[kind];
    const payload = payloads[kind];
    const place = track.packets % track.packetsPerFrame;
    const isLast = place === track.packetsPerFrame - 1;
    if (kind === 'video') {
      const isKey = place === 0 && keyframeWanted && nowMs - keyframeAtMs > keyframeIntervalMs;
      if (isKey) {
        keyframeWanted = false;
        keyframeAtMs = nowMs;
      }
      payload[0] = isKey ? nalParameterSet : nalSlice;
    }
    const frame = Math.floor(track.packets / track.packetsPerFrame);
    const frameMs = track.intervalMs * track.packetsPerFrame;
    const marked = kind === 'video' && isLast ? 0x80 : 0;
    track.head[1] = marked | (Number(track.head[1]) & 0x7f);
    track.head.writeUInt16BE(track.packets & 0xffff, 2);
    track.head.writeUInt32BE(Math.round((frame * frameMs * track.clockRate) / 1_000) >>> 0, 4);
    track.packets += 1;
    if (options.dropEvery && track.packets % options.dropEvery === 0) return;
    track.sent += 1;
    socket.send(Buffer.concat([track.head, payload]), track.port, '127.0.0.1');
  }

  function tick(): void {
    const nowMs = performance.now();
    for (const kind of ['audio', 'video'] as const) {
      const track = tracks[kind];
      track.dueAtMs = Math.max(track.dueAtMs, nowMs - delayMsMax);
      for (; track.dueAtMs <= nowMs; track.dueAtMs += track.intervalMs) send(kind, nowMs);
    }
  }

  function stop(): void {
    if (timer) clearInterval(timer);
    timer = null;
  }

  return {
    packetsPerSecond: 1_000 / tracks.audio.intervalMs + 1_000 / tracks.video.intervalMs,
    get sent() {
      return { audio: tracks.audio.sent, video: tracks.video.sent };
    },
    start() {
      if (timer) return;
      for (const track of Object.values(tracks)) track.dueAtMs = performance.now();
      timer = setInterval(tick, tickMs);
    },
    stop,
    async close() {
      stop();
      socket.close();
      await once(socket, 'close');
    },
  };
}

function headOf(payloadType: number, ssrc: number): Buffer {
  const head = Buffer.alloc(12);
  head[0] = 0x80;
  head[1] = payloadType;
  head.writeUInt32BE(ssrc, 8);
  return head;
}

/** Looks through what may be several RTCP packets in one. */
function asksForKeyframe(message: Buffer): boolean {
  for (let at = 0; at + 4 <= message.length; at += 4 * (message.readUInt16BE(at + 2) + 1)) {
    const format = Number(message[at]) & 0x1f;
    if (message[at + 1] !== rtcpPayloadFeedback) continue;
    if (format === feedbackPli || format === feedbackFir) return true;
  }
  return false;
}
