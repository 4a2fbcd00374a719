// The secrets of a local stack: made once, kept in one file that only its owner can read.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
  razorpayxWebhookSecret: secret,
  mailApiKey: secret,
  /** Keys of what is sealed at rest; the first seals. */
  dataKeys: z.array(z.object({ kid: z.string(), key: secret })).min(1),
  hashKey: secret,
  /** Private Ed25519 keys; the first signs checkpoints of the books. */
  ledgerKeys: z.array(z.looseObject({ kty: z.literal('OKP'), kid: z.string() })).min(1),
});
export type Secrets = z.infer<typeof Secrets>;

/** Reads the secrets of a data folder, or makes them when there are none. */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const kept = text === null ? {} : parseJson(file, text);
  // Secrets that a newer version needs are made, and those that are there stay.
  const secrets = parseSecrets(file, { ...(await makeSecrets()), ...kept });
  if (Object.keys(kept).length < Object.keys(secrets).length) await writeSecrets(file, secrets);
  return secrets;
}

async function writeSecrets(file: string, secrets: Secrets): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function parseJson(file: string, text: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    throw brokenSecrets(file);
  }
}

function brokenSecrets(file: string): StartRefused {
  return new StartRefused(
    `${file} is broken, and without it the data beside it cannot be read: put it back, or forget all local data with npm run reset.`,
  );
}

function parseSecrets(file: string, kept: Record<string, unknown>): Secrets {
  const parsed = Secrets.safeParse(kept);
  if (!parsed.success) throw brokenSecrets(file);
  return parsed.data;
}

async function makeSecrets(): Promise<Secrets> {
  const random = (bytes = 24) => randomBytes(bytes).toString('base64url');
  return Secrets.parse({
    postgresPassword: random(),
    edgePassword: random(),
    redisPassword: random(),
    upstashToken: random(),
    nodeSecret: random(32),
    signingKeys: [await newSigningKey()],
    razorpayKeyId: `rzp_test_${randomBytes(7).toString('hex')}`,
    razorpayKeySecret: random(),
    razorpayWebhookSecret: random(),
    razorpayxWebhookSecret: random(),
    mailApiKey: random(),
    dataKeys: [{ kid: randomBytes(4).toString('hex'), key: random(32) }],
    hashKey: random(32),
    ledgerKeys: [await newSigningKey()],
  });
}

async function newSigningKey() {
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  return { ...(await exportJWK(privateKey)), kid, alg: 'EdDSA', use: 'sig' };
}
