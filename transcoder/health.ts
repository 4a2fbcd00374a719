// Health: whether this transcoder can take and serve streams, found out by trying.
import type { Health } from '#contract';
import type { EdgeChannel } from './edge/edge-channel.ts';
import type { EdgeReporter } from './edge/edge-reporter.ts';
import type { Revocations } from './edge/revocations.ts';
import { ffmpegVersion } from './ffmpeg/probe.ts';
import { bindUdpPort } from './rtp/udp-port.ts';

/** An edge that has not answered a report for so long counts as away. */
export const edgeSilentMsMax = 10_000;

export interface HealthSources {
  ffmpegBin: string;
  channel: EdgeChannel;
  reporter: EdgeReporter;
  revocations: Pick<Revocations, 'doubt'>;
}

type Check = Health['checks'][string];

/**
 * Ready means: it can package and serve. Without Redis streams start a little later, and without the edge
 * running streams go on; both are shown, but neither takes a working origin away from its viewers.
 */
export function createReadiness(sources: HealthSources): () => Promise<Health> {
  let ffmpeg: Promise<Check> | null = null;

  async function ffmpegCheck(): Promise<Check> {
    ffmpeg ??= tried(() => ffmpegVersion(sources.ffmpegBin));
    const check = await ffmpeg;
    // A failure is asked again, a success stays.
    if (!check.ok) ffmpeg = null;
    return check;
  }

  return async () => {
    const [ffmpegState, udp, redis] = await Promise.all([
      ffmpegCheck(),
      tried(async () => (await bindUdpPort(() => {})).close()),
      tried(() => sources.channel.probe()),
    ]);
    return {
      ok: ffmpegState.ok && udp.ok,
      service: 'transcoder',
      checks: {
        ffmpeg: ffmpegState,
        udp,
        redis,
        edge: edgeCheck(sources.reporter),
        revocations: revocationsCheck(sources.revocations),
      },
    };
  };
}

function edgeCheck(reporter: EdgeReporter): Check {
  const { answeredMs } = reporter;
  if (answeredMs === null) return { ok: false, detail: 'has not answered yet' };
  const silentMs = Date.now() - answeredMs;
  return silentMs <= edgeSilentMsMax
    ? { ok: true }
    : { ok: false, detail: `silent for ${Math.round(silentMs / 1_000)} s` };
}

function revocationsCheck({ doubt }: Pick<Revocations, 'doubt'>): Check {
  return doubt === null ? { ok: true } : { ok: false, detail: doubt };
}

async function tried(probe: () => Promise<unknown>): Promise<Check> {
  try {
    const detail = await probe();
    return typeof detail === 'string' ? { ok: true, detail } : { ok: true };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
