// Publisher for tests: sends coded media as RTP at the pace of the wall clock, and spoils it on request.
import { createSocket } from 'node:dgram';
import type { CodedAudio, CodedVideo } from './media.ts';
import {
  h264Packets,
  opusPacketRtp,
  type RtpStream,
  senderReport,
  vp8Packets,
} from './rtp-sender.ts';

const stepMs = 5;
const reportIntervalMs = 500;
const audioPacketSeconds = 0.02;

export interface PublisherOptions {
  video?: CodedVideo;
  audio?: CodedAudio;
  /** RTP timestamps begin here; near 2^32 they wrap soon. */
  timestampBase?: number;
  /** How much later than captured the pictures are sent, as an encoder would delay them. */
  videoDelayMs?: number;
  /** What really goes out for a datagram; for loss, reordering and duplication. */
  spoil?(datagram: Buffer, kind: 'video' | 'audio'): Buffer[];
}

export interface Publisher {
  readonly video: RtpStream | null;
  readonly audio: RtpStream | null;
  /** Sends to these ports from now on, with new SSRCs, as a new tap does; null sends nowhere. */
  target(ports: { audio: number; video: number } | null): void;
  muteAudio(muted: boolean): void;
  muteVideo(muted: boolean): void;
  /** Another video from its first frame on. */
  switchVideo(video: CodedVideo): void;
  /** Jumps to the next keyframe of the video, as an encoder that was asked for one. */
  keyframe(): void;
  /** Wall clock at which media time zero was captured. */
  readonly startedMs: number;
  close(): void;
}

export function startPublisher(options: PublisherOptions): Publisher {
  const socket = createSocket('udp4');
  const startedMs = Date.now();
  const base = options.timestampBase ?? 1_000;
  const stream = (payloadType: number, clockRate: number): RtpStream => ({
    payloadType,
    ssrc: Math.floor(Math.random() * 2 ** 32),
    clockRate,
    sequence: 65_500,
    timestampBase: base,
  });
  let video = options.video ?? null;
  const videoStream = video ? stream(101, 90_000) : null;
  const audioStream = options.audio ? stream(100, 48_000) : null;
  let ports: { audio: number; video: number } | null = null;
  let audioMuted = false;
  let videoMuted = false;
  let frameIndex = 0;
  let codedIndex = 0;
  let packetIndex = 0;
  let reportedMs = 0;

  function send(datagram: Buffer, kind: 'video' | 'audio'): void {
    if (!ports) return;
    const port = ports[kind];
    for (const each of options.spoil?.(datagram, kind) ?? [datagram]) {
      socket.send(each, port, '127.0.0.1');
    }
  }

  function sendFrame(at: number): void {
    if (!video || !videoStream) return;
    const frame = video.frames[codedIndex % video.frames.length] ?? [];
    codedIndex++;
    if (videoMuted) return;
    const datagrams =
      video.mimeType === 'video/H264'
        ? h264Packets(videoStream, frame, at)
        : vp8Packets(videoStream, frame[0] ?? Buffer.alloc(0), codedIndex, at);
    for (const datagram of datagrams) send(datagram, 'video');
  }

  function step(): void {
    const nowSeconds = (Date.now() - startedMs) / 1_000;
    if (options.audio && audioStream) {
      const { packets } = options.audio;
      for (; (packetIndex + 1) * audioPacketSeconds <= nowSeconds; packetIndex++) {
        const packet = packets[packetIndex % packets.length];
        if (!packet || audioMuted) continue;
        send(opusPacketRtp(audioStream, packet, packetIndex * audioPacketSeconds), 'audio');
      }
    }
    if (video && videoStream) {
      const lateSeconds = nowSeconds - (options.videoDelayMs ?? 0) / 1_000;
      for (; frameIndex / video.framesPerSecond <= lateSeconds; frameIndex++) {
        sendFrame(frameIndex / video.framesPerSecond);
      }
    }
    if (Date.now() - reportedMs < reportIntervalMs) return;
    reportedMs = Date.now();
    if (videoStream) send(senderReport(videoStream, Date.now(), nowSeconds), 'video');
    if (audioStream) send(senderReport(audioStream, Date.now(), nowSeconds), 'audio');
  }

  const timer = setInterval(step, stepMs);

  return {
    video: videoStream,
    audio: audioStream,
    target(next) {
      ports = next;
      for (const each of [videoStream, audioStream]) {
        if (each) each.ssrc = Math.floor(Math.random() * 2 ** 32);
      }
      reportedMs = 0;
    },
    muteAudio(muted) {
      audioMuted = muted;
    },
    muteVideo(muted) {
      videoMuted = muted;
    },
    switchVideo(next) {
      video = next;
      codedIndex = 0;
    },
    keyframe() {
      if (!video) return;
      const { frames } = video;
      const isKey = (frame: Buffer[]) => frame.some((nal) => (nal.readUInt8(0) & 0x1f) === 5);
      while (!isKey(frames[codedIndex % frames.length] ?? [])) codedIndex++;
    },
    startedMs,
    close() {
      clearInterval(timer);
      socket.close();
    },
  };
}
