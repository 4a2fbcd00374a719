// What each part is told: its addresses and secrets, made from the settings once.
import { edgeDatabaseUrl } from './database.ts';
import { superuserUrl } from './postgres.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';

/** Where everything of a stack is reached. */
export interface StackUrls {
  /** The address to open; what browsers send as origin. */
  app: string;
  /** Where services reach the edge: the same server, whatever the address to open is. */
  edge: string;
  sfu: string;
  /** The room socket, as browsers open it. */
  sfuSocket: string;
  /** Of a second node, where there is one. */
  sfu2: string;
  sfu2Socket: string;
  transcoder: string;
  /** Health of the bridge, and where encoders push to: their stream key follows. */
  bridge: string;
  rtmp: string;
  srt: string;
  jobs: string;
  sandbox: string | null;
  /** Null when mails go to a real provider. */
  mailbox: string | null;
  /** With the rights of the services. */
  database: string;
  /** With the rights of the schema's owner. */
  databaseOwner: string;
  /** Null when the edge reaches Neon itself. */
  neonFetchEndpoint: string | null;
  redis: string;
  upstash: string;
}

/** Derives the addresses of a stack. */
export function stackUrls(settings: Settings, secrets: Secrets): StackUrls {
  const { ports } = settings;
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const owner = superuserUrl({ port: ports.postgres, password: secrets.postgresPassword });
  const localRedis = `redis://:${secrets.redisPassword}@127.0.0.1:${ports.redis}`;
  return {
    app: settings.appOrigin,
    edge: at(ports.edge),
    sfu: at(ports.sfu),
    sfuSocket: `ws://127.0.0.1:${ports.sfu}/room`,
    sfu2: at(ports.sfu2),
    sfu2Socket: `ws://127.0.0.1:${ports.sfu2}/room`,
    transcoder: at(ports.transcoder),
    bridge: at(ports.bridge),
    rtmp: `rtmp://127.0.0.1:${ports.rtmp}/live`,
    srt: `srt://127.0.0.1:${ports.srt}`,
    jobs: at(ports.jobs),
    sandbox: settings.razorpay ? null : at(ports.sandbox),
    mailbox: settings.mail ? null : at(ports.mailbox),
    database: settings.database?.url ?? edgeDatabaseUrl(owner, secrets.edgePassword),
    databaseOwner: settings.database?.ownerUrl ?? owner,
    neonFetchEndpoint: settings.database?.isNeon ? null : `${at(ports.neon)}/sql`,
    redis: settings.redisUrl ?? localRedis,
    upstash: settings.upstash?.url ?? at(ports.upstash),
  };
}

/** From which the stand-in pays. */
export const sandboxAccountNumber = '7878780080316316';

/** Whom the mails in the mailbox are from. */
export const mailboxFrom = 'LivePanty <no-reply@livepanty.example>';

/** The variables of the edge and of the job runner, on every runtime. */
export function edgeEnvironment(
  settings: Settings,
  secrets: Secrets,
  urls: StackUrls,
): Record<string, string> {
  const { razorpay } = settings;
  return {
    ENVIRONMENT: 'development',
    LOG_LEVEL: settings.logLevel,
    APP_ORIGIN: urls.app,
    DATABASE_URL: urls.database,
    UPSTASH_REDIS_REST_URL: urls.upstash,
    UPSTASH_REDIS_REST_TOKEN: settings.upstash?.token ?? secrets.upstashToken,
    SIGNING_KEYS: JSON.stringify(secrets.signingKeys),
    NODE_SECRET: secrets.nodeSecret,
    RAZORPAY_KEY_ID: razorpay?.keyId ?? secrets.razorpayKeyId,
    RAZORPAY_KEY_SECRET: razorpay?.keySecret ?? secrets.razorpayKeySecret,
    RAZORPAY_WEBHOOK_SECRET: razorpay?.webhookSecret ?? secrets.razorpayWebhookSecret,
    // With real keys the edge's own defaults hold: the real gateway.
    ...(urls.sandbox
      ? {
          RAZORPAY_API_URL: urls.sandbox,
          RAZORPAY_CHECKOUT_URL: `${urls.sandbox}/v1/checkout.js`,
        }
      : {}),
    // The payout account of the stand-in; a real one is configured where payouts are really made.
    ...(urls.sandbox
      ? {
          RAZORPAYX_KEY_ID: secrets.razorpayKeyId,
          RAZORPAYX_KEY_SECRET: secrets.razorpayKeySecret,
          RAZORPAYX_ACCOUNT_NUMBER: sandboxAccountNumber,
          RAZORPAYX_WEBHOOK_SECRET: secrets.razorpayxWebhookSecret,
        }
      : {}),
    ...(urls.mailbox
      ? { MAIL_FROM: mailboxFrom, MAIL_API_URL: urls.mailbox, MAIL_API_KEY: secrets.mailApiKey }
      : settings.mail),
    DATA_KEYS: JSON.stringify(secrets.dataKeys),
    HASH_KEY: secrets.hashKey,
    LEDGER_KEYS: JSON.stringify(secrets.ledgerKeys),
    INGEST_RTMP_URL: urls.rtmp,
    INGEST_SRT_URL: urls.srt,
    ...settings.turn,
    ...settings.callers,
    MEDIA_ORIGINS: [
      ...[urls.sfuSocket, urls.sfu2Socket].map((url) => new URL(url).origin),
      urls.transcoder,
    ].join(','),
  };
}

/** What the SFU node and the transcoder share. */
export function mediaEnvironment(
  settings: Settings,
  secrets: Secrets,
  urls: StackUrls,
): Record<string, string> {
  // Whoever types `localhost` gets the page as well; its sockets must not be refused.
  const localhost = new URL(urls.edge);
  localhost.hostname = 'localhost';
  return {
    ENVIRONMENT: 'development',
    LOG_LEVEL: settings.logLevel,
    EDGE_URL: urls.edge,
    NODE_SECRET: secrets.nodeSecret,
    REDIS_URL: urls.redis,
    CLIENT_ORIGINS: [...new Set([urls.app, urls.edge, localhost.origin])].join(','),
    ...settings.programs,
  };
}
