// Configuration of an SFU node: every environment variable that it reads, parsed once.

import { z } from 'zod';
import { CountryCode, type Network, NodeId } from '#contract';
import { networksOf } from './addresses.ts';

/** At most so many workers in one node; one per core is the useful number. */
const workersMax = 64;

const viewersPerWorkerMax = 10_000;
const drainSecondsMax = 3_600;

const Port = z.coerce.number().int().min(0).max(65_535);

const commaList = z
  .string()
  .prefault('')
  .transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );
/** Nobody can be sent to these. */
const unspecifiedAddresses: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
/** Addresses that media is heard on; each is a UDP and a TCP socket of every worker. */
const mediaAddressesMax = 8;
const listenAddresses = commaList.pipe(
  z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .min(1)
    .max(mediaAddressesMax)
    .refine((list) => new Set(list).size === list.length, 'the same address twice'),
);
/** One for each listen address, in their order; an empty one stands for the listen address itself. */
const announcedAddresses = z
  .string()
  .prefault('')
  .transform((text) => (text.trim() === '' ? [] : text.split(',').map((entry) => entry.trim())));
const networks = commaList.transform((entries, context) => {
  try {
    return networksOf(entries);
  } catch {
    context.addIssue({ code: 'custom', message: 'addresses or networks, separated by commas' });
    return z.NEVER;
  }
});

const Environment = z.object({
  SFU_NODE_ID: NodeId.default('sfu-1'),
  /** The country that it stands in (ISO 3166-1 alpha-2), so that people are sent to a node near them. */
  SFU_COUNTRY: CountryCode.optional(),
  SFU_HOST: z.string().min(1).default('127.0.0.1'),
  SFU_PORT: Port.default(4400),
  /** The address under which browsers and transcoders reach the room socket. */
  SFU_PUBLIC_URL: z.url({ protocol: /^wss?$/ }).default('ws://127.0.0.1:4400/room'),
  /** IPv4 and IPv6, separated by commas: candidates are offered in this order. */
  SFU_MEDIA_LISTEN_ADDRESS: listenAddresses.prefault('127.0.0.1'),
  /** What ICE candidates say, where it differs from the listen address (NAT, containers). */
  SFU_MEDIA_ANNOUNCED_ADDRESS: announcedAddresses,
  /** UDP and TCP port of worker 0; worker n listens on this port + n; 0 lets the system choose. */
  SFU_MEDIA_PORT: Port.default(44_400),
  SFU_WORKERS: z.coerce.number().int().min(1).max(workersMax).default(1),
  /** People whom one worker lets watch at once, over all rooms. */
  SFU_VIEWERS_PER_WORKER: z.coerce.number().int().min(1).max(viewersPerWorkerMax).default(500),
  /** Before it ends, a node gives everybody so long to go to another one; 0 ends it at once. */
  SFU_DRAIN_SECONDS: z.coerce.number().int().min(0).max(drainSecondsMax).default(30),
  SFU_TAP_LISTEN_ADDRESS: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
  /** Addresses and networks that taps may be sent to besides the one that their socket comes from. */
  SFU_TAP_ALLOWED_ADDRESSES: networks,
  /** Where pipes from and to other nodes listen: a private network; and what the others call it, if not so. */
  SFU_PIPE_LISTEN_ADDRESS: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
  SFU_PIPE_ANNOUNCED_ADDRESS: z.union([z.ipv4(), z.ipv6()]).optional(),
  /** Header in which a proxy in front names the sender's address; unset: the socket's own address. */
  CLIENT_ADDRESS_HEADER: z.string().min(1).optional(),
  /** Addresses and networks of those proxies, separated by commas: nobody else's header is believed. */
  TRUSTED_PROXIES: networks,
  MEDIASOUP_WORKER_BIN: z.string().min(1).optional(),
  EDGE_URL: z.url({ protocol: /^https?$/ }),
  NODE_SECRET: z.string().min(32, 'at least 32 characters'),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }),
  /** Origins of pages that may open the room socket, separated by commas. */
  CLIENT_ORIGINS: commaList
    .prefault('http://127.0.0.1:8787')
    .pipe(z.array(z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin))),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** Where media is heard, and under which address browsers are told of it if that is another one. */
export interface MediaAddress {
  listen: string;
  announced: string | undefined;
}

/** Settings of one SFU node. */
export interface SfuConfig {
  drainSeconds: number;
  nodeId: string;
  country: string | null;
  host: string;
  port: number;
  publicUrl: string;
  media: {
    addresses: readonly MediaAddress[];
    port: number;
    workers: number;
    viewersPerWorker: number;
    workerBin: string | undefined;
    tapListenAddress: string;
    pipeListen: { address: string; announcedAddress: string | undefined };
  };
  tapAllowedAddresses: readonly Network[];
  /** Who is believed to name the sender's address, and where. */
  forwarding: { header: string | undefined; proxies: readonly Network[] };
  edgeUrl: string;
  nodeSecret: string;
  redisUrl: string;
  clientOrigins: string[];
  logLevel: string;
}

/** Reads the settings, or throws one error that names everything missing or wrong. */
export function readConfig(env: Record<string, string | undefined>): SfuConfig {
  // An empty variable is an unset one: launchers and compose files write `NAME=`.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(set);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The configuration of the SFU node is not complete:\n  ${faults.join('\n  ')}`);
  }
  const values = parsed.data;
  if ((values.CLIENT_ADDRESS_HEADER === undefined) !== (values.TRUSTED_PROXIES.length === 0)) {
    throw new Error(
      'CLIENT_ADDRESS_HEADER and TRUSTED_PROXIES say whom to believe together: set both.',
    );
  }
  return {
    nodeId: values.SFU_NODE_ID,
    drainSeconds: values.SFU_DRAIN_SECONDS,
    country: values.SFU_COUNTRY ?? null,
    host: values.SFU_HOST,
    port: values.SFU_PORT,
    publicUrl: values.SFU_PUBLIC_URL,
    media: {
      addresses: mediaAddressesOf(values),
      port: values.SFU_MEDIA_PORT,
      workers: values.SFU_WORKERS,
      viewersPerWorker: values.SFU_VIEWERS_PER_WORKER,
      workerBin: values.MEDIASOUP_WORKER_BIN,
      tapListenAddress: values.SFU_TAP_LISTEN_ADDRESS,
      pipeListen: {
        address: values.SFU_PIPE_LISTEN_ADDRESS,
        announcedAddress: values.SFU_PIPE_ANNOUNCED_ADDRESS,
      },
    },
    tapAllowedAddresses: values.SFU_TAP_ALLOWED_ADDRESSES,
    forwarding: { header: values.CLIENT_ADDRESS_HEADER, proxies: values.TRUSTED_PROXIES },
    edgeUrl: values.EDGE_URL.replace(/\/+$/, ''),
    nodeSecret: values.NODE_SECRET,
    redisUrl: values.REDIS_URL,
    clientOrigins: values.CLIENT_ORIGINS,
    logLevel: values.LOG_LEVEL,
  };
}

function mediaAddressesOf(values: z.infer<typeof Environment>): MediaAddress[] {
  const { SFU_MEDIA_LISTEN_ADDRESS: listening, SFU_MEDIA_ANNOUNCED_ADDRESS: announced } = values;
  if (announced.length > 0 && announced.length !== listening.length) {
    throw new Error(
      'SFU_MEDIA_ANNOUNCED_ADDRESS names one address for each of SFU_MEDIA_LISTEN_ADDRESS, in their order, or is empty.',
    );
  }
  return listening.map((listen, place) => {
    const told = announced[place] || undefined;
    if (told === undefined && unspecifiedAddresses.has(listen)) {
      throw new Error(
        `SFU_MEDIA_LISTEN_ADDRESS ${listen} is every address of this machine: SFU_MEDIA_ANNOUNCED_ADDRESS must say which one browsers are told.`,
      );
    }
    return { listen, announced: told };
  });
}
