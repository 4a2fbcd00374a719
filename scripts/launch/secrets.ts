// The secrets of a local stack: made once, kept in one file that only its owner can read.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import { StartRefused } from '../local/environment.ts';

const secret = z.string().min(16);

const Secrets = z.object({
  /** The superuser of PostgreSQL, for migrations. */
  postgresPassword: secret,
  /** The role that the edge and the job runner log in as. */
  edgePassword: secret,
  redisPassword: secret,
  upstashToken: secret,
  nodeSecret: z.string().min(32),
  /** Private Ed25519 keys; the first signs. */
  signingKeys: z.array(z.looseObject({ kty: z.literal('OKP'), kid: z.string() })).min(1),
  razorpayKeyId: z.string().startsWith('rzp_test_'),
  razorpayKeySecret: secret,
  razorpayWebhookSecret: secret,
});
export type Secrets = z.infer<typeof Secrets>;

/** Reads the secrets of a data folder, or makes them when there are none. */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text !== null) return parseSecrets(file, text);
  const made = await makeSecrets();
  await mkdir(dataDir, { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return made;
}

function parseSecrets(file: string, text: string): Secrets {
  try {
    return Secrets.parse(JSON.parse(text));
  } catch {
    throw new StartRefused(
      `${file} is broken, and without it the data beside it cannot be read: put it back, or forget all local data with npm run reset.`,
    );
  }
}

async function makeSecrets(): Promise<Secrets> {
  const random = (bytes = 24) => randomBytes(bytes).toString('base64url');
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  return Secrets.parse({
    postgresPassword: random(),
    edgePassword: random(),
    redisPassword: random(),
    upstashToken: random(),
    nodeSecret: random(32),
    signingKeys: [{ ...(await exportJWK(privateKey)), kid, alg: 'EdDSA', use: 'sig' }],
    razorpayKeyId: `rzp_test_${randomBytes(7).toString('hex')}`,
    razorpayKeySecret: random(),
    razorpayWebhookSecret: random(),
  });
}
