// Configuration of the edge: read once from the environment, every missing name in one error.
import { z } from 'zod';
import { type Network, parseNetwork } from '#contract';
import { parseSmtpUrl, type SmtpServer } from './services/smtp-server.ts';

const secret = z.string().min(32);
const commaList = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );
const urlList = commaList.pipe(z.array(z.url()));

const network = z.string().transform((text, context): Network => {
  const read = parseNetwork(text);
  if (read) return read;
  context.addIssue({ code: 'custom', message: 'neither an address nor a network' });
  return z.NEVER;
});

const smtpUrl = z.string().transform((text, context): SmtpServer => {
  const read = parseSmtpUrl(text);
  if (read) return read;
  // Without the text, which may hold a password.
  context.addIssue({
    code: 'custom',
    message: 'is not smtps://user:password@host:port or smtp://…',
  });
  return z.NEVER;
});

const rotatingSecret = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(z.array(z.string().min(1)).min(1).max(2));

/** Browsers warn of five, and gather more slowly with each. */
const turnUrlsMax = 4;
/** The new secret, the old one, and one that is being prepared. */
const turnSecretsMax = 3;
/** RFC 7065, without what browsers do not know: a host by name, IPv4, or IPv6 in brackets. */
const turnUrl = z
  .string()
  .regex(
    /^turns?:(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?$/i,
    'is not turn:host:port?transport=udp, turn:…tcp or turns:…tcp',
  );

const Config = z.object({
  ENVIRONMENT: z.enum(['development', 'production']),
  /** Where people reach the product; the only origin that may send cookies. */
  APP_ORIGIN: z.url().transform((text) => new URL(text).origin),
  DATABASE_URL: z.string().min(1),
  /** Only for a local stand-in of Neon's HTTP endpoint. */
  NEON_FETCH_ENDPOINT: z.url().optional(),
  UPSTASH_REDIS_REST_URL: z.url(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
  /** Private Ed25519 JWKs as a JSON array; the first signs, all verify. */
  SIGNING_KEYS: z.string().min(1),
  /** What SFU nodes and transcoders send as bearer. */
  NODE_SECRET: secret,
  RAZORPAY_KEY_ID: z.string().min(1),
  RAZORPAY_KEY_SECRET: z.string().min(1),
  /** One secret, or during a rotation the new and the old one, separated by a comma. */
  RAZORPAY_WEBHOOK_SECRET: rotatingSecret,
  /** Of the payout account; without them performers cannot be paid. */
  RAZORPAYX_KEY_ID: z.string().min(1).optional(),
  RAZORPAYX_KEY_SECRET: z.string().min(1).optional(),
  RAZORPAYX_ACCOUNT_NUMBER: z.string().min(1).optional(),
  /** One secret, or the new and the old one, as above; the payments' where it is left out. */
  RAZORPAYX_WEBHOOK_SECRET: rotatingSecret.optional(),
  /** Keys of what is sealed at rest, as `[{ kid, key }]`; the first seals, all open. */
  DATA_KEYS: z.string().min(1),
  /** The key of hashes by which details are compared; it is never rotated. */
  HASH_KEY: z.string().min(1),
  /** Ed25519 JWKs as a JSON array: the first, private, signs checkpoints of the books; all verify. */
  LEDGER_KEYS: z.string().min(1),
  /** For tests: places on the paths of money where the process ends. */
  FAILPOINTS: z.string().default(''),
  /** Whom mails are from: `LivePanty <no-reply@example.com>`. */
  MAIL_FROM: z
    .string()
    .regex(
      /^(?:[^<>"@,\r\n]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/,
      'is not Name <address>',
    ),
  /** A mail provider with the protocol of Resend; Workers need one. */
  MAIL_API_URL: z.url({ protocol: /^https?$/ }).optional(),
  MAIL_API_KEY: z.string().min(1).optional(),
  /** Or an SMTP server. */
  MAIL_SMTP_URL: smtpUrl.optional(),
  RAZORPAY_API_URL: z.url().default('https://api.razorpay.com'),
  RAZORPAY_CHECKOUT_URL: z.url().default('https://checkout.razorpay.com/v1/checkout.js'),
  /** Origins of SFU nodes (ws, wss) and transcoders (http, https), for the content security policy. */
  MEDIA_ORIGINS: urlList,
  /** Relays for whom no direct way to the media is open, separated by commas. */
  TURN_URLS: commaList.pipe(z.array(turnUrl).max(turnUrlsMax)),
  /** What the relays know credentials by; of several, separated by commas, the first signs. */
  TURN_SECRET: commaList.pipe(z.array(secret).max(turnSecretsMax)),
  /** Where encoders reach the bridge, as performers are told: `rtmps://ingest.example.com/live`. */
  INGEST_RTMP_URL: z.url({ protocol: /^rtmps?$/ }).optional(),
  /** The same by SRT: `srt://ingest.example.com:9000`. */
  INGEST_SRT_URL: z.url({ protocol: /^srt$/ }).optional(),
  /** Origins of other pages that may call the API, with access tokens and without cookies. */
  API_ORIGINS: urlList,
  /** Header in which a proxy in front names the user's address; unset: the socket's own address. */
  CLIENT_ADDRESS_HEADER: z.string().min(1).optional(),
  /** Addresses and networks of those proxies, separated by commas: nobody else's header is believed. */
  TRUSTED_PROXIES: commaList.pipe(z.array(network)),
  /** Header in which those proxies name the user's country (ISO 3166-1 alpha-2). */
  CLIENT_COUNTRY_HEADER: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});
export type Config = z.infer<typeof Config>;

function refuseLocalPartsInProduction(config: Config, context: z.RefinementCtx): void {
  if (config.ENVIRONMENT !== 'production') return;
  for (const name of ['APP_ORIGIN', 'RAZORPAY_API_URL', 'RAZORPAY_CHECKOUT_URL'] as const) {
    if (!config[name].startsWith('https:')) {
      context.addIssue({ code: 'custom', path: [name], message: 'must be https in production' });
    }
  }
  if (config.MAIL_API_URL && !config.MAIL_API_URL.startsWith('https:')) {
    context.addIssue({
      code: 'custom',
      path: ['MAIL_API_URL'],
      message: 'must be https in production',
    });
  }
  if (config.MAIL_SMTP_URL?.tls === 'none') {
    context.addIssue({
      code: 'custom',
      path: ['MAIL_SMTP_URL'],
      message: 'must be encrypted in production',
    });
  }
  if (config.FAILPOINTS) {
    context.addIssue({ code: 'custom', path: ['FAILPOINTS'], message: 'is for tests alone' });
  }
  if (config.NEON_FETCH_ENDPOINT) {
    context.addIssue({
      code: 'custom',
      path: ['NEON_FETCH_ENDPOINT'],
      message: 'points at a local stand-in, which production must not use',
    });
  }
}

/** With some of them missing nobody would be paid, and nobody would say so. */
function refuseHalfAPayoutAccount(config: Config, context: z.RefinementCtx): void {
  const names = ['RAZORPAYX_KEY_ID', 'RAZORPAYX_KEY_SECRET', 'RAZORPAYX_ACCOUNT_NUMBER'] as const;
  const missing = names.filter((name) => config[name] === undefined);
  if (missing.length === names.length) return;
  for (const name of missing) {
    context.addIssue({
      code: 'custom',
      path: [name],
      message: 'is missing, and the others are there',
    });
  }
}

/** Mail goes one way: without any nobody could prove an address, and of two one would be forgotten. */
function refuseUnclearMail(config: Config, context: z.RefinementCtx): void {
  const { MAIL_API_URL: url, MAIL_API_KEY: key, MAIL_SMTP_URL: smtp } = config;
  const refuse = (name: string, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  if (url === undefined && key === undefined) {
    if (!smtp) refuse('MAIL_API_URL', 'is missing with MAIL_API_KEY, or else MAIL_SMTP_URL');
    return;
  }
  if (url === undefined) refuse('MAIL_API_URL', 'is missing, and MAIL_API_KEY is there');
  if (key === undefined) refuse('MAIL_API_KEY', 'is missing, and MAIL_API_URL is there');
  if (smtp) refuse('MAIL_SMTP_URL', 'is there, and so is another way for mail');
}

/** Either alone says nothing of whom to believe. */
function refuseProxiesInPart(config: Config, context: z.RefinementCtx): void {
  const { CLIENT_ADDRESS_HEADER: header, TRUSTED_PROXIES: proxies } = config;
  if ((header === undefined) === (proxies.length === 0)) return;
  context.addIssue({
    code: 'custom',
    path: [header === undefined ? 'CLIENT_ADDRESS_HEADER' : 'TRUSTED_PROXIES'],
    message: 'is missing, and the other is there',
  });
}

/** Relays let nobody in without credentials, and a secret alone leads nowhere. */
function refuseTurnInPart(config: Config, context: z.RefinementCtx): void {
  const { TURN_URLS: urls, TURN_SECRET: secrets } = config;
  if ((urls.length === 0) === (secrets.length === 0)) return;
  context.addIssue({
    code: 'custom',
    path: [urls.length === 0 ? 'TURN_URLS' : 'TURN_SECRET'],
    message: 'is missing, and the other is there',
  });
}

/** Parses the environment. Throws one error that names everything that is missing or wrong. */
export function readConfig(env: Record<string, unknown>): Config {
  const parsed = Config.superRefine(refuseLocalPartsInProduction)
    .superRefine(refuseHalfAPayoutAccount)
    .superRefine(refuseUnclearMail)
    .superRefine(refuseProxiesInPart)
    .superRefine(refuseTurnInPart)
    .safeParse(env);
  if (parsed.success) return parsed.data;
  throw notConfigured(
    parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  );
}

/** The provider that mails go to over HTTP. Throws where the configuration names none: Workers have no sockets. */
export function httpMailOf(config: Config): { apiUrl: string; apiKey: string; from: string } {
  const { MAIL_API_URL: apiUrl, MAIL_API_KEY: apiKey, MAIL_FROM: from } = config;
  if (apiUrl && apiKey) return { apiUrl, apiKey, from };
  throw notConfigured(['MAIL_API_URL: is missing, and SMTP cannot be spoken here']);
}

function notConfigured(faults: string[]): Error {
  return new Error(`the edge is not configured:\n  ${faults.join('\n  ')}`);
}
