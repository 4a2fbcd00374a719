// Configuration: the transcoder's settings, read once from the environment.
import { z } from 'zod';
import { NodeId } from '#contract';

const nodeSecretCharsMin = 32;

/** An empty variable is an unset one: launchers and compose files write `NAME=`. */
const Environment = z.object({
  TRANSCODER_ID: NodeId.default('transcoder-1'),
  TRANSCODER_HOST: z.string().min(1).default('127.0.0.1'),
  TRANSCODER_PORT: z.coerce.number().int().min(0).max(65_535).default(4_500),
  /** The address under which players reach this origin; by default the one it listens on. */
  TRANSCODER_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** The IP address of this machine to which SFU nodes send media. */
  TRANSCODER_TAP_ADDRESS: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
  TRANSCODER_JOBS_MAX: z.coerce.number().int().min(1).max(2_000).default(20),
  FFMPEG_BIN: z.string().min(1).default('ffmpeg'),
  EDGE_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:8787'),
  NODE_SECRET: z.string().min(nodeSecretCharsMin),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).default('redis://127.0.0.1:63790'),
  CLIENT_ORIGINS: z
    .string()
    .default('http://127.0.0.1:8787')
    .transform((list) => list.split(',').map((origin) => origin.trim()))
    .transform((list) => list.filter((origin) => origin !== ''))
    .pipe(z.array(z.url().transform((url) => new URL(url).origin))),
  ENVIRONMENT: z.enum(['development', 'production']).default('development'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

export interface Config {
  transcoderId: string;
  host: string;
  port: number;
  /** Null: the address it listens on. */
  publicUrl: string | null;
  tapAddress: string;
  jobsMax: number;
  ffmpegBin: string;
  edgeUrl: string;
  nodeSecret: string;
  redisUrl: string;
  clientOrigins: string[];
  environment: 'development' | 'production';
  logLevel: string;
}

/** Throws one error that names everything that is missing or wrong. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(
      `The configuration of the transcoder is not complete:\n  ${lines.join('\n  ')}`,
    );
  }
  const values = parsed.data;
  return {
    transcoderId: values.TRANSCODER_ID,
    host: values.TRANSCODER_HOST,
    port: values.TRANSCODER_PORT,
    publicUrl: values.TRANSCODER_PUBLIC_URL ? trimSlash(values.TRANSCODER_PUBLIC_URL) : null,
    tapAddress: values.TRANSCODER_TAP_ADDRESS,
    jobsMax: values.TRANSCODER_JOBS_MAX,
    ffmpegBin: values.FFMPEG_BIN,
    edgeUrl: trimSlash(values.EDGE_URL),
    nodeSecret: values.NODE_SECRET,
    redisUrl: values.REDIS_URL,
    clientOrigins: values.CLIENT_ORIGINS,
    environment: values.ENVIRONMENT,
    logLevel: values.LOG_LEVEL,
  };
}

function trimSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
