// The probe: what an encoder sends, found out from its first pictures.
import type { Feed } from '../feed.ts';
import { probeMsMax, probePicturesMin } from '../limits.ts';
import { type InputFormat, probeArguments } from './arguments.ts';
import { Ffmpeg } from './ffmpeg.ts';
import type { ReportedPacket } from './packet-report.ts';
import { readSource, type Source } from './source-report.ts';

/** Sound without a picture is known by so many packets. */
const soundPacketsMin = 50;

export interface ProbeOptions {
  ffmpegBin: string;
  format: InputFormat;
  feed: Feed;
  /** Ends it, and the process with it. */
  signal: AbortSignal;
}

/** Rejects when nothing is understood in time. */
export function probe({ ffmpegBin, format, feed, signal }: ProbeOptions): Promise<Source> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const ffmpeg = Ffmpeg.start(ffmpegBin, probeArguments(format));
    const packets: ReportedPacket[] = [];
    const finish = (done: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      feed.direct(null);
      ffmpeg.close();
      done();
    };
    const abort = () => finish(() => reject(signal.reason));
    const decide = () => finish(() => resolve(judge(readSource(ffmpeg.said), packets)));
    const timer = setTimeout(() => {
      if (packets.length > 0) decide();
      else finish(() => reject(new Error('nothing was understood')));
    }, probeMsMax);
    ffmpeg.on('packet', (packet) => {
      packets.push(packet);
      const pictures = packets.filter(({ kind }) => kind === 'video').length;
      if (pictures >= probePicturesMin || packets.length - pictures >= soundPacketsMin) decide();
    });
    ffmpeg.once('exit', (why) => finish(() => reject(new Error(`not understood: ${why}`))));
    signal.addEventListener('abort', abort);
    feed.direct(ffmpeg);
  });
}

/** Pictures that are shown in another order than they come in cannot be sent on: WebRTC has none. */
function judge(source: Source, packets: readonly ReportedPacket[]): Source {
  const { picture } = source;
  if (!picture) return source;
  const pictures = packets.filter(({ kind }) => kind === 'video');
  const inOrder = pictures.every(({ dtsMs, ptsMs }) => dtsMs === ptsMs);
  return { ...source, picture: { takenAsIs: picture.takenAsIs && inOrder } };
}
