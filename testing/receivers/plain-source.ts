// A publisher without a browser: H.264 and Opus at a steady rate, as plain RTP to UDP ports of this machine.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const frameRate = 30;
/** What browsers send unless they are told otherwise. */
const usualAudioPacketMs = 20;
const audioBps = 40_000;
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
  audioPort: number;
  /** The same port as that of the audio will do. */
  videoPort: number;
  /** How much sound one packet holds. */
  audioPacketMs?: number;
  /** Leaves out every nth packet of each track, as a bad network does. */
  dropEvery?: number;
}

/**
 * How the packets of a frame leave: spread evenly until the next one, or all at once. Chromium is nearer to the
 * latter: it sends what makes up 40 ms at its pace in one go.
 */
export type Pace = 'even' | 'frames';

export interface PlainSource {
  /** Packets that have gone out so far. */
  readonly sent: { audio: number; video: number };
  /** So many bits a second in the payload of both tracks together; goes on where it was stopped. */
  start(bitrateBps: number, pace?: Pace): void;
  stop(): void;
  close(): Promise<void>;
}

/** How the picture is cut into packets when both tracks have so many bits a second. */
function pictureAt(bitrateBps: number) {
  const frameBytes = (bitrateBps - audioBps) / 8 / frameRate;
  const packets = Math.ceil(frameBytes / payloadBytesMax);
  return { packets, payloadBytes: Math.round(frameBytes / packets) };
}

/** What goes out in a second, of both tracks. */
export function packetsPerSecondAt(bitrateBps: number, audioPacketMs = usualAudioPacketMs): number {
  return 1_000 / audioPacketMs + frameRate * pictureAt(bitrateBps).packets;
}

/** One of the two tracks, whose frames go out as evenly as their packets. */
interface Track {
  head: Buffer;
  payload: Buffer;
  port: number;
  packetsPerFrame: number;
  frameTicks: number;
  /** Packets that go out together, and from one such time to the next. */
  packetsPerBurst: number;
  intervalMs: number;
  packets: number;
  place: number;
  timestamp: number;
  sent: number;
  dueAtMs: number;
}

export async function openPlainSource(options: PlainSourceOptions): Promise<PlainSource> {
  const { audioPacketMs = usualAudioPacketMs } = options;
  const counters = { packets: 0, place: 0, timestamp: 0, sent: 0, dueAtMs: 0 };
  const audio: Track = {
    ...counters,
    head: headOf(audioPayloadType, audioSsrc),
    payload: Buffer.alloc((audioBps / 8 / 1_000) * audioPacketMs, 0xfc),
    port: options.audioPort,
    packetsPerFrame: 1,
    packetsPerBurst: 1,
    frameTicks: (48_000 * audioPacketMs) / 1_000,
    intervalMs: audioPacketMs,
  };
  const video: Track = {
    ...counters,
    head: headOf(videoPayloadType, videoSsrc),
    payload: Buffer.alloc(0),
    port: options.videoPort,
    packetsPerFrame: 1,
    packetsPerBurst: 1,
    frameTicks: 90_000 / frameRate,
    intervalMs: 1_000,
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

  function markKeyframe(nowMs: number): void {
    const isKey = video.place === 0 && keyframeWanted && nowMs - keyframeAtMs > keyframeIntervalMs;
    video.payload[0] = isKey ? nalParameterSet : nalSlice;
    if (!isKey) return;
    keyframeWanted = false;
    keyframeAtMs = nowMs;
  }

  function send(track: Track): void {
    const isLast = track.place === track.packetsPerFrame - 1;
    const marker = track === video && isLast ? 0x80 : 0;
    track.head[1] = marker | (Number(track.head[1]) & 0x7f);
    track.head.writeUInt16BE(track.packets & 0xffff, 2);
    track.head.writeUInt32BE(track.timestamp >>> 0, 4);
    track.packets += 1;
    track.place = isLast ? 0 : track.place + 1;
    if (isLast) track.timestamp += track.frameTicks;
    if (options.dropEvery && track.packets % options.dropEvery === 0) return;
    track.sent += 1;
    socket.send(Buffer.concat([track.head, track.payload]), track.port, '127.0.0.1');
  }

  function tick(): void {
    const nowMs = performance.now();
    for (const track of [audio, video]) {
      track.dueAtMs = Math.max(track.dueAtMs, nowMs - delayMsMax);
      for (; track.dueAtMs <= nowMs; track.dueAtMs += track.intervalMs) {
        for (let sent = 0; sent < track.packetsPerBurst; sent += 1) {
          if (track === video) markKeyframe(nowMs);
          send(track);
        }
      }
    }
  }

  function stop(): void {
    if (timer) clearInterval(timer);
    timer = null;
  }

  return {
    get sent() {
      return { audio: audio.sent, video: video.sent };
    },
    start(bitrateBps, pace = 'even') {
      stop();
      const { packets, payloadBytes } = pictureAt(bitrateBps);
      video.payload = Buffer.alloc(payloadBytes, 0xa5);
      video.packetsPerFrame = packets;
      video.packetsPerBurst = pace === 'frames' ? packets : 1;
      video.intervalMs = ((1_000 / frameRate) * video.packetsPerBurst) / packets;
      // A frame that was stopped in the middle is not gone on with.
      video.place = 0;
      for (const track of [audio, video]) track.dueAtMs = performance.now();
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
