// The edge in workerd, on this machine: the bundle and the settings that are deployed, with bindings of ours.
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { bundleWorker } from './worker-bundle.ts';

interface CronTarget {
  scheduled(options: { cron: string }): Promise<{ outcome: string }>;
}

export interface EdgeWorker {
  url: string;
  /** What the cron trigger does once a minute where it is deployed; resolves when all of it is done. */
  cron(): Promise<void>;
  /** Idempotent; workerd is gone when it resolves. */
  stop(): Promise<void>;
}

/** Starts workerd on the loopback address. It does not end with this process: `stop` it, or run it as a part. */
export async function startEdgeWorker(options: {
  /** 0 takes any free one. */
  port: number;
  /** Added to the variables of wrangler.toml, before which they go. */
  bindings: Record<string, string>;
  /** Lines that the edge prints; by default they go to stdout. */
  onLine?: (line: string) => void;
}): Promise<EdgeWorker> {
  const { onLine = (line) => process.stdout.write(`${line}\n`) } = options;
  const { modules, settings } = await bundleWorker();
  const { bindings = {}, ...rest } = settings;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: options.port,
      // Without this it asks a server on the internet where we are.
      cf: false,
      telemetry: { enabled: false },
      log: new Log(LogLevel.WARN),
      handleStructuredLogs: ({ message }) => onLine(message),
      workers: [
        {
          ...rest,
          name: 'edge',
          modules,
          bindings: { ...bindings, ...options.bindings },
        },
      ],
    }),
  );
  let stopped: Promise<void> | null = null;
  const stop = () => {
    stopped ??= miniflare.dispose();
    return stopped;
  };
  try {
    const url = await miniflare.ready;
    const cron = async () => {
      // Its own type is one of Workers' types, which nothing else here needs.
      const worker = (await miniflare.getWorker()) as unknown as CronTarget;
      const { outcome } = await worker.scheduled({ cron: '* * * * *' });
      if (outcome !== 'ok') throw new Error(`the cron trigger ended with ${outcome}`);
    };
    return { url: url.origin, cron, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
