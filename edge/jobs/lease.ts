// Running a job under its lease, so that of several runners only one carries out a round.
import { endLease, renewLease, takeLease } from '#db';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import type { Job } from './index.ts';

/** How long a lease lasts, and how soon it is renewed; other ones for tests. */
export interface LeasePace {
  /** Whoever has not renewed for so long is taken for dead, and another runner takes the job over. */
  leaseSeconds: number;
  renewEveryMs: number;
}

const usualPace: LeasePace = { leaseSeconds: 60, renewEveryMs: 15_000 };
/** A round that failed is due again after so long, or after the job's own pace if that is shorter. */
const retrySecondsMax = 60;
const errorCharsMax = 500;

/** Of a job that is being carried out. */
export interface Lease {
  /** To be asked before each effect. Throws when another runner may have taken the job over. */
  check(): void;
}

/** For who runs a job where nobody else does. */
export const unleased: Lease = { check() {} };

/** `done` and `failed` say how the round ended; `not-due` that it was not this runner's to begin. */
export type Round = 'done' | 'failed' | 'not-due';

/** How soon the next round of a job is due. */
export function nextSecondsOf(job: Job, round: Round): number {
  return round === 'failed' ? Math.min(job.everySeconds, retrySecondsMax) : job.everySeconds;
}

/** One round, if it is due and nobody else holds it. Never throws. `deps.db` is what the lease is kept in. */
export async function runLeased(
  deps: Deps,
  job: Job,
  holder: string,
  jobDeps = deps,
  pace = usualPace,
): Promise<Round> {
  const held = createHeldLease(deps, job, holder, pace);
  try {
    if (!(await held.take())) return 'not-due';
  } catch (error) {
    deps.log.warn('lease not taken', { job: job.name, error: describeError(error) });
    return 'failed';
  }
  let fault: string | null = null;
  try {
    await job.run(jobDeps, held);
  } catch (error) {
    fault = describeError(error);
    deps.log.warn('job failed, will be tried again', { job: job.name, error: fault });
  }
  held.stopRenewing();
  const round = fault === null ? 'done' : 'failed';
  try {
    const kept = await endLease(deps.db, {
      job: job.name,
      holder,
      nextSeconds: nextSecondsOf(job, round),
      error: fault?.slice(0, errorCharsMax) ?? null,
    });
    if (!kept) {
      deps.log.error('a job outlived its lease', { job: job.name });
      return 'failed';
    }
  } catch (error) {
    // It ends by itself.
    deps.log.warn('lease not given back', { job: job.name, error: describeError(error) });
  }
  return round;
}

/** Takes a lease and holds on to it until it is told to stop, or the lease is lost. */
function createHeldLease(deps: Deps, job: Job, holder: string, pace: LeasePace) {
  const lease = { job: job.name, holder, seconds: pace.leaseSeconds };
  /** By our own clock, and counted from before it was asked for: never later than the database's. */
  let heldUntil = 0;
  let renewing: ReturnType<typeof setInterval> | undefined;

  async function ask(of: typeof takeLease): Promise<boolean> {
    const askedAt = performance.now();
    const given = await of(deps.db, lease);
    heldUntil = given ? askedAt + pace.leaseSeconds * 1000 : 0;
    return given;
  }

  async function renew(): Promise<void> {
    try {
      if (await ask(renewLease)) return;
      clearInterval(renewing);
      deps.log.error('a job lost its lease and stops', { job: job.name });
    } catch (error) {
      deps.log.warn('lease not renewed', { job: job.name, error: describeError(error) });
    }
  }

  return {
    async take(): Promise<boolean> {
      const taken = await ask(takeLease);
      if (taken) renewing = setInterval(renew, pace.renewEveryMs);
      return taken;
    },
    check(): void {
      if (performance.now() < heldUntil) return;
      throw new Error(
        `the lease of ${job.name} is lost: another runner may have taken the job over`,
      );
    },
    stopRenewing: () => clearInterval(renewing),
  };
}
