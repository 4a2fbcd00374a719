// ffmpeg probe: whether ffmpeg runs at all, asked once.
import { execFile } from 'node:child_process';

const probeTimeoutMs = 5_000;

/** First line of `ffmpeg -version`; throws when it does not run. */
export function ffmpegVersion(bin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(bin, ['-version'], { timeout: probeTimeoutMs }, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout.split('\n')[0] ?? '');
    });
  });
}
