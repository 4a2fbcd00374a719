// A thread that hashes passwords, so that the one that answers requests never stands still for it.
import { parentPort } from 'node:worker_threads';
import { createPasswordHasher } from '../services/passwords.ts';
import { loadArgon2Modules } from './argon2-files.ts';

/** A password to hash, or to compare with a hash; null for nobody's. */
export type HashJob =
  | { id: number; type: 'hash'; password: string }
  | { id: number; type: 'verify'; password: string; hash: string | null };
export type HashAnswer = { id: number; result: string | boolean } | { id: number; error: string };

// Nothing is waited for before the thread listens: on Deno what comes earlier is lost.
const hasher = loadArgon2Modules().then(createPasswordHasher);

async function carryOut(job: HashJob): Promise<string | boolean> {
  const { hash, verify } = await hasher;
  return job.type === 'hash' ? hash(job.password) : verify(job.password, job.hash);
}

parentPort?.on('message', (job: HashJob) => {
  carryOut(job).then(
    (result) => parentPort?.postMessage({ id: job.id, result } satisfies HashAnswer),
    (error: unknown) =>
      parentPort?.postMessage({ id: job.id, error: String(error) } satisfies HashAnswer),
  );
});
