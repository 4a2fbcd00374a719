// What may be set about a stack: ports, the runtime of the edge, and real services in place of local ones.
import { z } from 'zod';
import { StartRefused } from '../local/environment.ts';
import { type Ports, portNames, portsOf, portVariable, usualPort } from './ports.ts';

export const EdgeRuntime = z.enum(['workerd', 'node', 'bun', 'deno']);
export type EdgeRuntime = z.infer<typeof EdgeRuntime>;

const portRule = 'must be a port number from 1 to 65535';
const Port = z.coerce.number(portRule).int(portRule).min(1, portRule).max(65_535, portRule);

const PortVariables = z.object(
  Object.fromEntries(portNames.map((name) => [portVariable(name), Port.default(usualPort(name))])),
);

const Environment = z.object({
  ENVIRONMENT: z.enum(['development', 'production']).default('development'),
  LIVEPANTY_EDGE: EdgeRuntime.default('workerd'),
  /** With two, a stream is seen on both: viewers beyond the places of one, and those of a node that ends. */
  LIVEPANTY_SFU_NODES: z.coerce.number().int().min(1).max(2).default(1),
  APP_ORIGIN: z.url({ protocol: /^https?$/ }).optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** Runs the migrations, when `DATABASE_URL` itself may not. */
  DATABASE_OWNER_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  UPSTASH_REDIS_REST_URL: z.url({ protocol: /^https?$/ }).optional(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1).optional(),
  RAZORPAY_KEY_ID: z.string().startsWith('rzp_').optional(),
  RAZORPAY_KEY_SECRET: z.string().min(1).optional(),
  RAZORPAY_WEBHOOK_SECRET: z.string().min(1).optional(),
  MAIL_FROM: z.string().min(1).optional(),
  MAIL_API_URL: z.url({ protocol: /^https?$/ }).optional(),
  MAIL_API_KEY: z.string().min(1).optional(),
  MAIL_SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  API_ORIGINS: z.string().min(1).optional(),
  TURN_URLS: z.string().min(1).optional(),
  TURN_SECRET: z.string().min(1).optional(),
  SFU_MEDIA_LISTEN_ADDRESS: z.string().min(1).optional(),
  SFU_MEDIA_ANNOUNCED_ADDRESS: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  REDIS_SERVER_BIN: z.string().min(1).default('redis-server'),
  MEDIASOUP_WORKER_BIN: z.string().min(1).optional(),
  SFU_VIEWERS_PER_WORKER: z.string().min(1).optional(),
  FFMPEG_BIN: z.string().min(1).optional(),
});

export interface Settings {
  ports: Ports;
  edgeRuntime: EdgeRuntime;
  sfuNodes: number;
  appOrigin: string;
  logLevel: string;
  redisServerBin: string;
  /** Passed on to the media services as they are. */
  programs: Record<string, string>;
  /** Real services; null where a local one is started. */
  database: { url: string; ownerUrl: string; isNeon: boolean } | null;
  redisUrl: string | null;
  upstash: { url: string; token: string } | null;
  razorpay: { keyId: string; keySecret: string; webhookSecret: string } | null;
  /** The variables of a real mail provider, as the edge reads them. */
  mail: Record<string, string> | null;
  /** Those of relays, in the same way; empty without any. */
  turn: Record<string, string>;
  /** Other pages that may call the API, in the same way. */
  callers: Record<string, string>;
  /** Where media is heard, as the SFU node reads it; empty for what this machine offers. */
  mediaAddresses: Record<string, string>;
}

/**
 * Reads the settings of a stack.
 * @throws StartRefused with a sentence for each thing that does not fit
 */
export function readSettings(env: Record<string, string | undefined>): Settings {
  // An empty variable is an unset one.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = z.intersection(Environment, z.object({ ports: PortVariables })).safeParse({
    ...set,
    ports: set,
  });
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      ({ path, message }) => `${String(path.at(-1))}: ${message}`,
    );
    throw new StartRefused(`The settings do not fit:\n${faults.join('\n')}`);
  }
  const values = parsed.data;
  const ports = portsOf((name) => values.ports[portVariable(name)]);

  const { DATABASE_URL: url, REDIS_URL: redisUrl } = values;
  const restUrl = values.UPSTASH_REDIS_REST_URL;
  const restToken = values.UPSTASH_REDIS_REST_TOKEN;
  const keyId = values.RAZORPAY_KEY_ID;
  const keySecret = values.RAZORPAY_KEY_SECRET;
  const webhookSecret = values.RAZORPAY_WEBHOOK_SECRET;

  refuseHalf({ UPSTASH_REDIS_REST_URL: restUrl, UPSTASH_REDIS_REST_TOKEN: restToken });
  refuseHalf({
    RAZORPAY_KEY_ID: keyId,
    RAZORPAY_KEY_SECRET: keySecret,
    RAZORPAY_WEBHOOK_SECRET: webhookSecret,
  });
  const { TURN_URLS, TURN_SECRET } = values;
  refuseHalf({ TURN_URLS, TURN_SECRET });
  if (restUrl && !redisUrl) {
    throw new StartRefused(
      'UPSTASH_REDIS_REST_URL is set without REDIS_URL: the media services speak the Redis protocol, so both addresses of that database are needed.',
    );
  }
  if (values.ENVIRONMENT === 'production') {
    throw new StartRefused(
      'npm start runs the product on one machine for development; docs/deployment.md tells how it runs in production.',
    );
  }
  return {
    ports,
    edgeRuntime: values.LIVEPANTY_EDGE,
    sfuNodes: values.LIVEPANTY_SFU_NODES,
    appOrigin: values.APP_ORIGIN
      ? new URL(values.APP_ORIGIN).origin
      : // By name: passkeys belong to a host's name, and to no address of numbers.
        `http://localhost:${ports.edge}`,
    logLevel: values.LOG_LEVEL,
    redisServerBin: values.REDIS_SERVER_BIN,
    programs: given({
      MEDIASOUP_WORKER_BIN: values.MEDIASOUP_WORKER_BIN,
      SFU_VIEWERS_PER_WORKER: values.SFU_VIEWERS_PER_WORKER,
      FFMPEG_BIN: values.FFMPEG_BIN,
    }),
    database: url
      ? {
          url,
          ownerUrl: values.DATABASE_OWNER_URL ?? url,
          isNeon: /\.neon\.(tech|build)$/.test(new URL(url).hostname),
        }
      : null,
    redisUrl: redisUrl ?? null,
    upstash: restUrl && restToken ? { url: restUrl, token: restToken } : null,
    razorpay: keyId && keySecret && webhookSecret ? { keyId, keySecret, webhookSecret } : null,
    mail: mailSettings(values),
    turn: given({ TURN_URLS, TURN_SECRET }),
    callers: given({ API_ORIGINS: values.API_ORIGINS }),
    mediaAddresses: given({
      SFU_MEDIA_LISTEN_ADDRESS: values.SFU_MEDIA_LISTEN_ADDRESS,
      SFU_MEDIA_ANNOUNCED_ADDRESS: values.SFU_MEDIA_ANNOUNCED_ADDRESS,
    }),
  };
}

/** Over HTTP or over SMTP; null for the mailbox. */
function mailSettings(values: z.infer<typeof Environment>): Record<string, string> | null {
  const { MAIL_FROM, MAIL_API_URL, MAIL_API_KEY, MAIL_SMTP_URL } = values;
  if (!MAIL_SMTP_URL) {
    refuseHalf({ MAIL_FROM, MAIL_API_URL, MAIL_API_KEY });
    return MAIL_FROM ? given({ MAIL_FROM, MAIL_API_URL, MAIL_API_KEY }) : null;
  }
  refuseHalf({ MAIL_FROM, MAIL_SMTP_URL });
  if (MAIL_API_URL || MAIL_API_KEY) {
    throw new StartRefused('MAIL_SMTP_URL and MAIL_API_URL are both set: mail goes one way.');
  }
  if (values.LIVEPANTY_EDGE === 'workerd') {
    throw new StartRefused(
      'MAIL_SMTP_URL is set, and workerd speaks no SMTP: run the edge on node (--edge node), or set MAIL_API_URL.',
    );
  }
  return given({ MAIL_FROM, MAIL_SMTP_URL });
}

/** Variables that only make sense together. */
function refuseHalf(group: Record<string, string | undefined>): void {
  const missing = Object.entries(group).filter(([, value]) => !value);
  if (missing.length === 0 || missing.length === Object.keys(group).length) return;
  const names = missing.map(([name]) => name).join(' and ');
  throw new StartRefused(
    `${names} must be set as well: ${Object.keys(group).join(', ')} belong together.`,
  );
}

/** The entries that have a value. */
export function given(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
