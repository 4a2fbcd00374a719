// Health: whether this bridge can carry streams, found out by trying.
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { promisify } from 'node:util';
import type { Health } from '#contract';

const versionTimeoutMs = 5_000;
const requestTimeoutMs = 5_000;
const run = promisify(execFile);

export interface HealthSources {
  ffmpegBin: string;
  hasSrt: boolean;
  figures(): string;
}

export function createHealthServer(sources: HealthSources): Server {
  const timeouts = { headersTimeout: requestTimeoutMs, requestTimeout: requestTimeoutMs };
  let ffmpeg: Promise<boolean> | null = null;
  const ready = async (): Promise<Health> => {
    ffmpeg ??= runs(sources.ffmpegBin);
    const works = await ffmpeg;
    // A failure is asked again, a success stays.
    if (!works) ffmpeg = null;
    const checks = {
      ffmpeg: { ok: works },
      srt: sources.hasSrt ? { ok: true } : { ok: false, detail: 'libsrt was not found' },
      relays: { ok: true, detail: sources.figures() },
    };
    // Without SRT there is still RTMP.
    return { ok: works, service: 'bridge', checks };
  };
  return createServer(timeouts, (request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/healthz') answer(200, { ok: true, service: 'bridge', checks: {} });
    else if (request.url === '/readyz') {
      ready().then((health) => answer(health.ok ? 200 : 503, health));
    } else answer(404, { ok: false });
  });
}

function runs(ffmpegBin: string): Promise<boolean> {
  return run(ffmpegBin, ['-version'], { timeout: versionTimeoutMs }).then(
    () => true,
    () => false,
  );
}
