// An encoder that is not ours: the WHIP client of Debian (package simple-whip-client), on GStreamer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const sound =
  'audiotestsrc is-live=true ! audioconvert ! audioresample ! queue ! opusenc ! rtpopuspay pt=111 ssrc=1 ! queue ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111';
const testPicture =
  'videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=10/1 ! videoconvert ! queue';
const pictures = {
  VP8: `${testPicture} ! vp8enc deadline=1 ! rtpvp8pay pt=96 ssrc=2 ! queue ! application/x-rtp,media=video,encoding-name=VP8,payload=96`,
  H264: `${testPicture} ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=20 ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96 ssrc=2 ! queue ! application/x-rtp,media=video,encoding-name=H264,payload=96`,
};

export interface GstreamerEncoder {
  /** What it has written so far. */
  said(): string;
  /** Asks it to end, and waits until it has. */
  end(): Promise<void>;
  /** It sends nothing more, and its connections stay open. */
  freeze(): void;
  close(): void;
}

/** Named by a variable, or where the set-up for tests keeps it; null on systems for which it has none. */
export function findGstreamerEncoder(): string | null {
  const named = process.env.WHIP_CLIENT_BIN;
  if (named) return named;
  const kept = join(homedir(), '.cache', 'livepanty', 'whip-client');
  const systems = existsSync(kept) ? readdirSync(kept) : [];
  const programs = systems.map((system) => join(kept, system, 'whip-client'));
  return programs.find((program) => existsSync(program)) ?? null;
}

export function startGstreamerEncoder(
  program: string,
  { url, token, codec }: { url: string; token: string; codec: keyof typeof pictures },
): GstreamerEncoder {
  const child = spawn(program, ['-o', '-u', url, '-t', token, '-A', sound, '-V', pictures[codec]], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const exited = once(child, 'exit');
  return {
    said: () => said,
    async end() {
      child.kill('SIGINT');
      await exited;
    },
    freeze: () => child.kill('SIGSTOP'),
    close: () => child.kill('SIGKILL'),
  };
}
