// The parts of a stack: what runs, with what environment, after what, and when it is ready.
import { join } from 'node:path';
import { migrateDatabase } from '#db/migrate';
import { guardedCommand, nodeCommand, stopTimeoutMs } from './child.ts';
import { buildClient } from './client-build.ts';
import { makeDemoAccounts, prepareLocalDatabase } from './database.ts';
import { edgeCommand } from './edge-command.ts';
import {
  edgeEnvironment,
  mediaEnvironment,
  type StackUrls,
  sandboxAccountNumber,
} from './environment.ts';
import { mediaAddresses } from './media-addresses.ts';
import type { PartSpec } from './part.ts';
import type { PortName } from './ports.ts';
import { preparePostgres, probePostgres } from './postgres.ts';
import { probeReady } from './probe.ts';
import { pingRedis, prepareRedis } from './redis.ts';
import type { Secrets } from './secrets.ts';
import { given, type Settings } from './settings.ts';
import type { StepSpec } from './supervisor.ts';
import { bundleWorker } from './worker-bundle.ts';

export interface StackPlan {
  settings: Settings;
  secrets: Secrets;
  urls: StackUrls;
  dataDir: string;
  /** Nothing is made durable, for tests. */
  disposable: boolean;
  /** Whether the client is built and served. */
  withClient: boolean;
  /** Hears of the demo accounts when they have been looked after. */
  onAccounts: (accounts: Awaited<ReturnType<typeof makeDemoAccounts>>) => void;
}

interface PlannedPart extends PartSpec {
  /** The ports that it listens on. */
  ports: PortName[];
}

/** Everything that this machine has to run, given what is real and elsewhere. */
export function planParts(plan: StackPlan): { parts: PlannedPart[]; steps: StepSpec[] } {
  const { settings } = plan;
  const onWorkerd = settings.edgeRuntime === 'workerd';
  return {
    parts: [
      ...(settings.database ? [] : [postgres(plan)]),
      ...(settings.redisUrl ? [] : [redis(plan)]),
      ...(onWorkerd && !settings.database?.isNeon ? [neonProxy(plan)] : []),
      ...(settings.upstash ? [] : [upstashProxy(plan)]),
      ...(settings.razorpay ? [] : [sandbox(plan)]),
      ...(settings.mail ? [] : [mailbox(plan)]),
      edge(plan),
      ...sfuNodes(plan),
      transcoder(plan),
      bridge(plan),
      jobs(plan),
    ],
    steps: [
      { name: 'database', after: ['postgres'], run: () => prepareDatabase(plan) },
      ...(plan.withClient
        ? [{ name: 'client', after: [], run: async () => void (await buildClient()) }]
        : []),
      ...(onWorkerd
        ? [{ name: 'worker', after: [], run: async () => void (await bundleWorker()) }]
        : []),
    ],
  };
}

async function prepareDatabase(plan: StackPlan): Promise<void> {
  const { databaseOwner } = plan.urls;
  if (plan.settings.database) return migrateDatabase({ url: databaseOwner });
  await prepareLocalDatabase(databaseOwner, plan.secrets.edgePassword);
  plan.onAccounts(await makeDemoAccounts(databaseOwner, plan.dataDir, plan.secrets));
}

/** A service of ours that answers `/readyz` under its address. */
function service(
  name: string,
  url: string,
  of: Pick<PlannedPart, 'after' | 'ports' | 'command'>,
): PlannedPart {
  return { name, address: url, probe: (signal) => probeReady(url, signal), ...of };
}

function postgres({ settings, secrets, urls, dataDir, disposable }: StackPlan): PlannedPart {
  return {
    name: 'postgres',
    after: [],
    ports: ['postgres'],
    address: `postgres://127.0.0.1:${settings.ports.postgres}`,
    command: async () =>
      guardedCommand(
        await preparePostgres({
          dataDir: join(dataDir, 'postgres'),
          port: settings.ports.postgres,
          password: secrets.postgresPassword,
          disposable,
        }),
      ),
    probe: () => probePostgres(urls.databaseOwner),
  };
}

function redis({ settings, secrets, urls, dataDir, disposable }: StackPlan): PlannedPart {
  return {
    name: 'redis',
    after: [],
    ports: ['redis'],
    address: `redis://127.0.0.1:${settings.ports.redis}`,
    command: async () =>
      guardedCommand(
        await prepareRedis({
          serverBin: settings.redisServerBin,
          dataDir: join(dataDir, 'redis'),
          port: settings.ports.redis,
          password: secrets.redisPassword,
          disposable,
        }),
      ),
    probe: () => pingRedis(urls.redis),
  };
}

function neonProxy({ settings, urls }: StackPlan): PlannedPart {
  return service('neon-proxy', `http://127.0.0.1:${settings.ports.neon}`, {
    after: ['database'],
    ports: ['neon'],
    command: async () =>
      nodeCommand('scripts/local/neon-proxy/main.ts', {
        NEON_PROXY_PORT: String(settings.ports.neon),
        DATABASE_URL: urls.database,
        LOG_LEVEL: settings.logLevel,
      }),
  });
}

function upstashProxy({ settings, secrets, urls }: StackPlan): PlannedPart {
  return service('upstash-proxy', `http://127.0.0.1:${settings.ports.upstash}`, {
    after: ['redis'],
    ports: ['upstash'],
    command: async () =>
      nodeCommand('scripts/local/upstash-proxy/main.ts', {
        UPSTASH_PROXY_PORT: String(settings.ports.upstash),
        UPSTASH_REDIS_REST_TOKEN: secrets.upstashToken,
        REDIS_URL: urls.redis,
        LOG_LEVEL: settings.logLevel,
      }),
  });
}

function sandbox({ settings, secrets, urls, dataDir }: StackPlan): PlannedPart {
  return service('sandbox', `http://127.0.0.1:${settings.ports.sandbox}`, {
    after: [],
    ports: ['sandbox'],
    command: async () =>
      nodeCommand('scripts/local/razorpay-sandbox/main.ts', {
        SANDBOX_PORT: String(settings.ports.sandbox),
        SANDBOX_STATE_FILE: join(dataDir, 'sandbox.json'),
        RAZORPAY_KEY_ID: secrets.razorpayKeyId,
        RAZORPAY_KEY_SECRET: secrets.razorpayKeySecret,
        RAZORPAY_WEBHOOK_SECRET: secrets.razorpayWebhookSecret,
        RAZORPAY_WEBHOOK_URL: `${urls.edge}/v1/payments/webhooks/razorpay`,
        RAZORPAYX_ACCOUNT_NUMBER: sandboxAccountNumber,
        RAZORPAYX_WEBHOOK_SECRET: secrets.razorpayxWebhookSecret,
        RAZORPAYX_WEBHOOK_URL: `${urls.edge}/v1/payments/webhooks/razorpayx`,
        LOG_LEVEL: settings.logLevel,
      }),
  });
}

function mailbox({ settings, secrets }: StackPlan): PlannedPart {
  return service('mailbox', `http://127.0.0.1:${settings.ports.mailbox}`, {
    after: [],
    ports: ['mailbox', 'smtp'],
    command: async () =>
      nodeCommand('scripts/local/mailbox/main.ts', {
        MAILBOX_PORT: String(settings.ports.mailbox),
        MAILBOX_SMTP_PORT: String(settings.ports.smtp),
        MAIL_API_KEY: secrets.mailApiKey,
        LOG_LEVEL: settings.logLevel,
      }),
  });
}

function edge({ settings, secrets, urls }: StackPlan): PlannedPart {
  return service('edge', urls.edge, {
    after: ['database', 'neon-proxy', 'upstash-proxy', 'client', 'worker'],
    ports: ['edge'],
    command: async () =>
      edgeCommand(settings.edgeRuntime, settings.ports.edge, {
        ...edgeEnvironment(settings, secrets, urls),
        ...(urls.neonFetchEndpoint ? { NEON_FETCH_ENDPOINT: urls.neonFetchEndpoint } : {}),
      }),
  });
}

/** What everybody has to go to the other node when one is restarted. */
const sfuDrainSeconds = 12;

function sfuNodes({ settings, secrets, urls }: StackPlan): PlannedPart[] {
  // With nowhere to go, nobody is asked to.
  const drainSeconds = settings.sfuNodes > 1 ? sfuDrainSeconds : 0;
  const nodes = [
    { name: 'sfu', port: 'sfu', media: 'media', url: urls.sfu, socket: urls.sfuSocket },
    { name: 'sfu-2', port: 'sfu2', media: 'media2', url: urls.sfu2, socket: urls.sfu2Socket },
  ] as const;
  return nodes.slice(0, settings.sfuNodes).map(({ name, port, media, url, socket }, index) =>
    service(name, url, {
      // It would wait for the edge; started after it, it is known there from the first moment.
      after: ['redis', 'edge'],
      ports: [port, media],
      command: async () => ({
        ...nodeCommand('sfu-cluster/main.ts', {
          ...mediaEnvironment(settings, secrets, urls),
          SFU_NODE_ID: `sfu-${index + 1}`,
          SFU_PORT: String(settings.ports[port]),
          SFU_PUBLIC_URL: socket,
          SFU_MEDIA_PORT: String(settings.ports[media]),
          ...mediaSettings(settings),
          SFU_DRAIN_SECONDS: String(drainSeconds),
        }),
        stopTimeoutMs: drainSeconds * 1000 + stopTimeoutMs,
      }),
    }),
  );
}

function mediaSettings({ mediaAddresses: given }: StackPlan['settings']): Record<string, string> {
  if (Object.keys(given).length > 0) return given;
  return { SFU_MEDIA_LISTEN_ADDRESS: mediaAddresses() };
}

function transcoder({ settings, secrets, urls }: StackPlan): PlannedPart {
  return service('transcoder', urls.transcoder, {
    after: ['redis', 'edge'],
    ports: ['transcoder'],
    command: async () =>
      nodeCommand('transcoder/main.ts', {
        ...mediaEnvironment(settings, secrets, urls),
        TRANSCODER_PORT: String(settings.ports.transcoder),
        TRANSCODER_PUBLIC_URL: urls.transcoder,
      }),
  });
}

function bridge({ settings, urls }: StackPlan): PlannedPart {
  const { ports, logLevel, programs } = settings;
  return service('bridge', urls.bridge, {
    after: ['edge'],
    ports: ['bridge', 'rtmp', 'srt'],
    command: async () =>
      nodeCommand('bridge/main.ts', {
        LOG_LEVEL: logLevel,
        EDGE_URL: urls.edge,
        BRIDGE_PORT: String(ports.bridge),
        BRIDGE_RTMP_PORT: String(ports.rtmp),
        BRIDGE_SRT_PORT: String(ports.srt),
        ...given({ FFMPEG_BIN: programs.FFMPEG_BIN }),
      }),
  });
}

function jobs({ settings, secrets, urls }: StackPlan): PlannedPart {
  return service('jobs', urls.jobs, {
    after: ['database', 'upstash-proxy'],
    ports: ['jobs'],
    command: async () =>
      nodeCommand('edge/runtime/jobs.ts', {
        ...edgeEnvironment(settings, secrets, urls),
        JOBS_PORT: String(settings.ports.jobs),
      }),
  });
}
