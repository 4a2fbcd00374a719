// ffmpeg arguments: made of constants, numbers and checked addresses, so that nothing foreign reaches a command line.
import { isIP, isIPv6 } from 'node:net';
import { assert } from '#contract';
import { decodedPixelsMax, encodedKeyframeSeconds, ffmpegThreads } from '../limits.ts';
import { srtpSuite, type Track } from '../node/tracks.ts';

export type InputFormat = 'flv' | 'mpegts';

/** Whatever an encoder sends, ffmpeg opens no file and no address for it. */
const pipesOnly = ['-protocol_whitelist', 'pipe'];
const quiet = ['-hide_banner', '-nostats'];
/** How much is looked at before the streams are known: bytes, and microseconds. */
const probing = ['-probesize', '1000000', '-analyzeduration', '1000000', '-fpsprobesize', '3'];

const reportPipe = 'pipe:3';
/** Within an Ethernet frame with IPv6, UDP and SRTP. */
const packetBytes = 1_200;
const soundBitsPerSecond = 128_000;

const pictureBitsPerSecond = 2_500_000;
const pictureBitsPerSecondMax = 3_000_000;
/** The rate is held over so many bits: half a second, since nobody waits longer for a late picture. */
const rateBufferBits = 1_500_000;
/** Within 1280x720, or upright; no more pictures a second than 30, nor than there are. */
const shape =
  "scale=w='min(iw,if(gt(iw,ih),1280,720))':h='min(ih,if(gt(iw,ih),720,1280))'" +
  ':force_original_aspect_ratio=decrease:force_divisible_by=2,format=yuv420p';

const threads = ['-threads', String(ffmpegThreads)];
const bounds = [...threads, '-max_pixels', String(decodedPixelsMax)];

function input(format: InputFormat): string[] {
  return [...pipesOnly, ...probing, ...bounds, '-f', format, '-i', 'pipe:0'];
}

/** Every packet is reported, at once, also before the first keyframe. */
function report(maps: readonly string[]): string[] {
  const reported = maps.flatMap((map) => ['-map', map]);
  return [
    ...reported,
    '-c',
    'copy',
    '-copyinkf',
    '-flush_packets',
    '1',
    '-f',
    'framecrc',
    reportPipe,
  ];
}

/** Reads the input and reports what it is on stderr, and its packets. */
export function probeArguments(format: InputFormat): string[] {
  return [...quiet, '-loglevel', 'info', ...input(format), ...report(['0:v:0?', '0:a:0?'])];
}

export interface Publication {
  format: InputFormat;
  tracks: readonly Track[];
  encodesPicture: boolean;
  /** The file with the SRTP key of each track, in their order. */
  keyFiles: readonly string[];
  /** By this clock all tracks begin together, in milliseconds since the epoch. */
  startedAtMs: number;
  cname: string;
}

/** Publishes the input as RTP, and reports its packets. */
export function publishArguments(publication: Publication): string[] {
  const { format, tracks, encodesPicture } = publication;
  const codecs = { video: encodesPicture ? encodedPicture : copiedPicture, audio: opus };
  return [
    ...quiet,
    '-loglevel',
    'error',
    '-filter_threads',
    String(ffmpegThreads),
    ...input(format),
    ...tracks.flatMap((track, index) => [
      '-map',
      `0:${track.kind[0]}:0`,
      ...codecs[track.kind],
      ...rtp(track, index, publication),
    ]),
    ...report(tracks.map(({ kind }) => `0:${kind[0]}:0`)),
  ];
}

/** RTP carries no parameter sets of its own: every keyframe brings them, for those who come later. */
const copiedPicture = ['-c:v', 'copy', '-bsf:v', 'h264_mp4toannexb,dump_extra=freq=keyframe'];

const encodedPicture = [
  '-vf',
  shape,
  '-fpsmax',
  '30',
  '-c:v',
  'libx264',
  ...threads,
  '-preset',
  'veryfast',
  '-tune',
  'zerolatency',
  '-profile:v',
  'baseline',
  '-b:v',
  String(pictureBitsPerSecond),
  '-maxrate',
  String(pictureBitsPerSecondMax),
  '-bufsize',
  String(rateBufferBits),
  '-force_key_frames',
  `expr:gte(t,n_forced*${encodedKeyframeSeconds})`,
  '-bsf:v',
  'dump_extra=freq=keyframe',
];

/** Gaps in the sound are filled, so that it stays with the picture. */
const opus = [
  '-af',
  'aresample=async=1',
  '-c:a',
  'libopus',
  '-b:a',
  String(soundBitsPerSecond),
  '-ar',
  '48000',
  '-ac',
  '2',
  '-frame_duration',
  '20',
];

function rtp(track: Track, index: number, { keyFiles, startedAtMs, cname }: Publication): string[] {
  const keyFile = keyFiles[index];
  assert(keyFile !== undefined, 'each track has a key');
  return [
    // Of the file `srtp_out_params`: a command line can be read by everybody on the machine.
    '-fpre',
    keyFile,
    '-srtp_out_suite',
    srtpSuite,
    // Sender reports of all tracks count from here; by default each counts from its own first packet.
    '-start_time_realtime',
    String(Math.round(startedAtMs) * 1_000),
    '-cname',
    cname,
    '-payload_type',
    String(track.payloadType),
    '-ssrc',
    String(track.ssrc),
    '-protocol_whitelist',
    'srtp,rtp,udp',
    '-f',
    'rtp',
    rtpUrl(track),
  ];
}

function rtpUrl({ address, port, rtcpPort }: Track): string {
  assert(isIP(address) !== 0, 'media goes to an IP address');
  const host = isIPv6(address) ? `[${address}]` : address;
  return `srtp://${host}:${port}?rtcpport=${rtcpPort}&pkt_size=${packetBytes}`;
}
