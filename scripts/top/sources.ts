// Sources: which nodes are asked for their figures, and with what secret.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { loadSecrets } from '../launch/secrets.ts';
import { portsFile } from '../launch/stack.ts';
import { StartRefused } from '../local/environment.ts';

export interface Sources {
  /** Addresses of nodes, as `http://host:port`. */
  addresses: string[];
  secret: string;
  /**
   * Whether nodes that these name are asked as well. The secret goes to them: only one that opens figures and nothing
   * else may.
   */
  follows: boolean;
}

const Environment = z.object({
  SFU_NODES: z
    .string()
    .transform((text) => text.split(',').map((entry) => entry.trim().replace(/\/+$/, '')))
    .pipe(z.array(z.url({ protocol: /^https?$/ })).min(1)),
  SFU_METRICS_SECRET: z.string().min(32, 'at least 32 characters'),
});

/** The nodes that the environment names, else those of the stack that `npm start` keeps in `dataDir`. */
export async function findSources(
  dataDir: string,
  env: Record<string, string | undefined>,
): Promise<Sources> {
  return env.SFU_NODES ? namedSources(env) : localSources(dataDir);
}

function namedSources(env: Record<string, string | undefined>): Sources {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new StartRefused(`The settings do not fit:\n${faults.join('\n')}`);
  }
  const { SFU_NODES: addresses, SFU_METRICS_SECRET: secret } = parsed.data;
  return { addresses, secret, follows: true };
}

const Ports = z.object({ sfu: z.int(), sfu2: z.int() });

async function localSources(dataDir: string): Promise<Sources> {
  const file = portsFile(dataDir);
  if (!existsSync(file) || !existsSync(join(dataDir, 'secrets.json'))) {
    throw new StartRefused(
      `There is no stack in ${dataDir}: npm start brings one up, or SFU_NODES and SFU_METRICS_SECRET name others.`,
    );
  }
  const { sfu, sfu2 } = Ports.parse(JSON.parse(await readFile(file, 'utf8')));
  const { nodeSecret } = await loadSecrets(dataDir);
  const addresses = [sfu, sfu2].map((port) => `http://127.0.0.1:${port}`);
  return { addresses, secret: nodeSecret, follows: false };
}
