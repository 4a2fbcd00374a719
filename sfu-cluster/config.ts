// Configuration of an SFU node: every environment variable that it reads, parsed once.

import type { BlockList } from 'node:net';
import { z } from 'zod';
import { NodeId } from '#contract';
import { addressList } from './addresses.ts';

/** At most so many workers in one node; one per core is the useful number. */
const workersMax = 64;

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

const Environment = z.object({
  SFU_NODE_ID: NodeId.default('sfu-1'),
  SFU_HOST: z.string().min(1).default('127.0.0.1'),
  SFU_PORT: Port.default(4400),
  /** The address under which browsers and transcoders reach the room socket. */
  SFU_PUBLIC_URL: z.url({ protocol: /^wss?$/ }).default('ws://127.0.0.1:4400/room'),
  SFU_MEDIA_LISTEN_ADDRESS: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
  /** What ICE candidates say, where it differs from the listen address (NAT, containers). */
  SFU_MEDIA_ANNOUNCED_ADDRESS: z.string().min(1).optional(),
  /** UDP and TCP port of worker 0; worker n listens on this port + n; 0 lets the system choose. */
  SFU_MEDIA_PORT: Port.default(44_400),
  SFU_WORKERS: z.coerce.number().int().min(1).max(workersMax).default(1),
  SFU_TAP_LISTEN_ADDRESS: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
  /** Addresses and networks that taps may be sent to besides the one that their socket comes from. */
  SFU_TAP_ALLOWED_ADDRESSES: commaList.transform((entries, context) => {
    try {
      return addressList(entries);
    } catch {
      context.addIssue({ code: 'custom', message: 'addresses or networks, separated by commas' });
      return z.NEVER;
    }
  }),
  /** Header in which the proxy in front names the sender's address; unset: the socket's own address. */
  CLIENT_ADDRESS_HEADER: z.string().min(1).optional(),
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

/** Settings of one SFU node. */
export interface SfuConfig {
  nodeId: string;
  host: string;
  port: number;
  publicUrl: string;
  media: {
    listenAddress: string;
    announcedAddress: string | undefined;
    port: number;
    workers: number;
    workerBin: string | undefined;
    tapListenAddress: string;
  };
  tapAllowedAddresses: BlockList;
  clientAddressHeader: string | undefined;
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
  return {
    nodeId: values.SFU_NODE_ID,
    host: values.SFU_HOST,
    port: values.SFU_PORT,
    publicUrl: values.SFU_PUBLIC_URL,
    media: {
      listenAddress: values.SFU_MEDIA_LISTEN_ADDRESS,
      announcedAddress: values.SFU_MEDIA_ANNOUNCED_ADDRESS,
      port: values.SFU_MEDIA_PORT,
      workers: values.SFU_WORKERS,
      workerBin: values.MEDIASOUP_WORKER_BIN,
      tapListenAddress: values.SFU_TAP_LISTEN_ADDRESS,
    },
    tapAllowedAddresses: values.SFU_TAP_ALLOWED_ADDRESSES,
    clientAddressHeader: values.CLIENT_ADDRESS_HEADER,
    edgeUrl: values.EDGE_URL.replace(/\/+$/, ''),
    nodeSecret: values.NODE_SECRET,
    redisUrl: values.REDIS_URL,
    clientOrigins: values.CLIENT_ORIGINS,
    logLevel: values.LOG_LEVEL,
  };
}
