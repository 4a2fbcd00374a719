// The source report: what ffmpeg says of its input, and whether its picture can be taken as it is.

export interface Source {
  /** Null without a picture. */
  picture: { takenAsIs: boolean } | null;
  hasSound: boolean;
}

const streamLine = /^ *Stream #0:\d+\S*: (Video|Audio): (.+)$/;
/** Every browser decodes these, of 8 bits in 4:2:0, whatever was negotiated. */
const takenPicture = /^h264 \((Constrained Baseline|Baseline|Main|High)\).*, yuvj?420p\b/;
const nothing = /^none\b/;

/** Reads what was written to stderr before any packet; what is not understood is encoded anew. */
export function readSource(stderr: string): Source {
  const input = stderr.split(/^Output #0/m)[0] ?? '';
  const source: Source = { picture: null, hasSound: false };
  for (const line of input.split('\n')) {
    const [, kind, description = ''] = streamLine.exec(line) ?? [];
    if (kind === undefined || nothing.test(description)) continue;
    // The first of each kind is what is published.
    if (kind === 'Audio') source.hasSound = true;
    else source.picture ??= { takenAsIs: takenPicture.test(description) };
  }
  return source;
}
