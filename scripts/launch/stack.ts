// The whole product on this machine: `startStack` for the launcher, for tests end to end, and for benches.
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StartRefused } from '../local/environment.ts';
import type { DemoAccounts } from './database.ts';
import { type StackUrls, stackUrls } from './environment.ts';
import { takeLock } from './lock.ts';
import { planParts } from './parts.ts';
import { assertFree, freePorts, type PortName, type Ports, portVariable } from './ports.ts';
import { clusterDir } from './postgres-home.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { readSettings, type Settings } from './settings.ts';
import { type PartStatus, Supervisor } from './supervisor.ts';

/** How long the remains of a killed run may hold its ports. */
const remainsPatienceMs = 10_000;

export type PartName =
  | 'postgres'
  | 'redis'
  | 'neon-proxy'
  | 'upstash-proxy'
  | 'sandbox'
  | 'mailbox'
  | 'edge'
  | 'sfu'
  | 'sfu-2'
  | 'transcoder'
  | 'bridge'
  | 'jobs';

export interface StackOptions {
  /** Where data, secrets and logs lie; made when it is missing. */
  dataDir: string;
  /** `free` takes ports that nobody else has; otherwise those of the environment, or the usual ones. */
  ports?: 'free' | Partial<Ports>;
  /** The environment that settings are read from. */
  env?: Record<string, string | undefined>;
  /** Nothing is made durable, and the data is gone at the end: for tests. */
  disposable?: boolean;
  /** False leaves the client unbuilt, for tests of the API alone. */
  withClient?: boolean;
  onLine?: (part: string, text: string) => void;
  onProgress?: (name: string, state: string, ms: number | null) => void;
  /** Breaks off a start that nobody waits for any more. */
  signal?: AbortSignal;
}

export interface Stack {
  urls: StackUrls;
  settings: Settings;
  secrets: Secrets;
  /** Null when the database is a real one elsewhere. */
  accounts: DemoAccounts | null;
  statuses(): PartStatus[];
  /** Kills a part, as a crash would; it comes back by itself. Resolves when it is dead. */
  kill(part: PartName): Promise<void>;
  /** Ends a part in an orderly way, starts it again, and resolves when it is ready. */
  restart(part: PartName): Promise<void>;
  /** Ends a part in an orderly way, for good. */
  end(part: PartName): Promise<void>;
  /** Resolves when a part is ready, now or after a restart. */
  untilReady(part: PartName, timeoutMs?: number): Promise<void>;
  /** Ends everything. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Brings the whole product up; resolves when every part is ready.
 * @throws StartRefused when settings, ports or another run stand in the way
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const dataDir = resolve(options.dataDir);
  const settings = await settingsOf(options);
  await mkdir(dataDir, { recursive: true });
  const lock = await takeLock(join(dataDir, 'stack.lock'));
  if ('heldBy' in lock) {
    throw new StartRefused(
      `LivePanty is running already with the data of ${dataDir} (process ${lock.heldBy}).`,
    );
  }
  let accounts: DemoAccounts | null = null;
  try {
    // The user that PostgreSQL runs as must be able to walk through.
    if (options.disposable) await chmod(dataDir, 0o755);
    const secrets = await loadSecrets(dataDir);
    const urls = stackUrls(settings, secrets);
    const plan = planParts({
      settings,
      secrets,
      urls,
      dataDir,
      disposable: options.disposable ?? false,
      withClient: options.withClient ?? true,
      onAccounts: (made) => {
        accounts = made;
      },
    });
    await assertFree(
      settings.ports,
      plan.parts.flatMap(({ ports }) => ports),
      lock.wasAbandoned ? remainsPatienceMs : 0,
    );
    await writeFile(portsFile(dataDir), JSON.stringify(settings.ports));
    const supervisor = Supervisor.create(plan);
    if (options.onLine) supervisor.on('line', options.onLine);
    if (options.onProgress) supervisor.on('progress', options.onProgress);
    const abort = () => supervisor.close();
    options.signal?.addEventListener('abort', abort);
    options.signal?.throwIfAborted();
    await supervisor.start();
    options.signal?.removeEventListener('abort', abort);

    let stopped: Promise<void> | null = null;
    return {
      urls,
      settings,
      secrets,
      accounts,
      statuses: () => supervisor.statuses(),
      kill: (part) => supervisor.part(part).kill(),
      restart: (part) => supervisor.part(part).restart(),
      end: (part) => supervisor.part(part).stop(),
      untilReady: (part, timeoutMs) => supervisor.part(part).untilReady(timeoutMs),
      stop() {
        stopped ??= (async () => {
          await supervisor.close();
          if (options.disposable) await forgetData(dataDir);
          await lock.release();
        })();
        return stopped;
      },
    };
  } catch (error) {
    if (options.disposable) await forgetData(dataDir);
    await lock.release();
    throw error;
  }
}

/** Where a stack writes the ports that it uses, for tools beside it. */
export function portsFile(dataDir: string): string {
  return join(dataDir, 'ports.json');
}

/** Removes everything that a stack has kept in its data folder; builds stay. */
export async function forgetData(dataDir: string): Promise<void> {
  const cluster = await clusterDir(join(dataDir, 'postgres'));
  const files = ['redis', 'secrets.json', 'demo-accounts.json', 'sandbox.json', 'ports.json'];
  await Promise.all(
    // What an initialisation that was killed has left is beside the cluster.
    [
      ...[cluster, `${cluster}.new`, `${cluster}.new.password`],
      ...files.map((name) => join(dataDir, name)),
    ].map((path) => rm(path, { recursive: true, force: true })),
  );
}

async function settingsOf({ ports, env = process.env }: StackOptions): Promise<Settings> {
  const chosen = ports === 'free' ? await freePorts() : (ports ?? {});
  const variables = Object.entries(chosen).map(([name, port]) => [
    portVariable(name as PortName),
    String(port),
  ]);
  return readSettings({ ...env, ...Object.fromEntries(variables) });
}
