// Leases: which of several runners carries out a recurring job.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Takes the lease of a job when its time has come and nobody else holds it. `force` does not ask for the time. */
export async function takeLease(
  db: Db,
  lease: { job: string; holder: string; seconds: number; force?: boolean },
): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(take_lease(${lease.job}, ${lease.holder}, ${lease.seconds}, ${lease.force ?? false})) as result`,
    z.boolean(),
  );
}

/** Holds a lease for longer; false when it was lost in the meantime, and the work must stop. */
export async function renewLease(
  db: Db,
  lease: { job: string; holder: string; seconds: number },
): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(renew_lease(${lease.job}, ${lease.holder}, ${lease.seconds})) as result`,
    z.boolean(),
  );
}

/** Gives a lease back and says when the next round is due. False when somebody else has it by now. */
export async function endLease(
  db: Db,
  lease: { job: string; holder: string; nextSeconds: number; error: string | null },
): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(end_lease(${lease.job}, ${lease.holder}, ${lease.nextSeconds},
      ${lease.error === null}, ${lease.error})) as result`,
    z.boolean(),
  );
}
