// Configuration of a bridge: every environment variable that it reads, parsed once.
import { z } from 'zod';
import { type Network, NodeId, parseNetwork } from '#contract';

const Port = z.coerce.number().int().min(0).max(65_535);
const Ip = z.union([z.ipv4(), z.ipv6()]);

const Networks = z
  .string()
  .default('')
  .transform((text, context): Network[] =>
    text
      .split(',')
      .filter((part) => part.trim() !== '')
      .map((part) => {
        const read = parseNetwork(part.trim());
        if (read) return read;
        context.addIssue({ code: 'custom', message: `"${part}" is neither address nor network` });
        return z.NEVER;
      }),
  );

const Environment = z.object({
  BRIDGE_ID: NodeId.default('bridge-1'),
  /** Where health is told. */
  BRIDGE_HOST: z.string().min(1).default('127.0.0.1'),
  BRIDGE_PORT: Port.default(4_650),
  /** Where encoders are heard, by TCP and by UDP. */
  BRIDGE_LISTEN_ADDRESS: Ip.default('127.0.0.1'),
  BRIDGE_RTMP_PORT: Port.default(1_935),
  /** TLS proxies before the RTMP port, separated by commas: their connections begin with a PROXY header. */
  BRIDGE_RTMP_PROXIES: Networks,
  BRIDGE_SRT_PORT: Port.default(9_000),
  /** The library libsrt; looked for under its usual names where it is not named. */
  BRIDGE_SRT_LIBRARY: z.string().min(1).optional(),
  BRIDGE_CONNECTIONS_MAX: z.coerce.number().int().min(1).max(1_000).default(50),
  /** Pictures that are encoded anew at once; each takes most of a core. */
  BRIDGE_ENCODERS_MAX: z.coerce.number().int().min(0).max(256).default(2),
  BRIDGE_BITRATE_MAX_KBPS: z.coerce.number().int().min(100).max(100_000).default(12_000),
  FFMPEG_BIN: z.string().min(1).default('ffmpeg'),
  EDGE_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:8787'),
  /** Header in which the edge is told the encoder's address; the edge must trust the bridge as a proxy. */
  CLIENT_ADDRESS_HEADER: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/)
    .optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

export interface BridgeConfig {
  bridgeId: string;
  host: string;
  port: number;
  listenAddress: string;
  rtmpPort: number;
  rtmpProxies: readonly Network[];
  srtPort: number;
  srtLibrary: string | undefined;
  connectionsMax: number;
  encodersMax: number;
  bitrateMaxBps: number;
  ffmpegBin: string;
  edgeUrl: string;
  addressHeader: string | undefined;
  logLevel: string;
}

/** Reads the settings, or throws one error that names everything missing or wrong. */
export function readConfig(env: Record<string, string | undefined>): BridgeConfig {
  // An empty variable is an unset one: launchers and compose files write `NAME=`.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(set);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The configuration of the bridge is not complete:\n  ${faults.join('\n  ')}`);
  }
  const values = parsed.data;
  return {
    bridgeId: values.BRIDGE_ID,
    host: values.BRIDGE_HOST,
    port: values.BRIDGE_PORT,
    listenAddress: values.BRIDGE_LISTEN_ADDRESS,
    rtmpPort: values.BRIDGE_RTMP_PORT,
    rtmpProxies: values.BRIDGE_RTMP_PROXIES,
    srtPort: values.BRIDGE_SRT_PORT,
    srtLibrary: values.BRIDGE_SRT_LIBRARY,
    connectionsMax: values.BRIDGE_CONNECTIONS_MAX,
    encodersMax: values.BRIDGE_ENCODERS_MAX,
    bitrateMaxBps: values.BRIDGE_BITRATE_MAX_KBPS * 1_000,
    ffmpegBin: values.FFMPEG_BIN,
    edgeUrl: values.EDGE_URL.replace(/\/+$/, ''),
    addressHeader: values.CLIENT_ADDRESS_HEADER,
    logLevel: values.LOG_LEVEL,
  };
}
