// Leases: of several runners one carries out a round, a dead one's job is taken over, and who lost a lease stops.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { endLease, renewLease, takeLease } from '#db';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import type { Deps } from '../deps.ts';
import type { Job } from './index.ts';
import { type Lease, nextSecondsOf, runLeased } from './lease.ts';

let edge: TestEdge;
let deps: Deps;
const said: string[] = [];
beforeAll(async () => {
  edge = await startTestEdge();
  const note = (message: string) => said.push(message);
  const log = { ...edge.parts.deps.log, warn: note, error: note };
  deps = { ...edge.parts.deps, log };
});
afterAll(() => edge.close());
beforeEach(async () => {
  said.length = 0;
  await edge.database.asOwner('delete from job_leases');
});

const job = (run: Job['run'], everySeconds = 60): Job => ({ name: 'slow', everySeconds, run });
const leaseOf = async () =>
  (
    await edge.database.asOwner<{
      holder: string;
      is_held: boolean;
      last_succeeded: boolean | null;
      last_error: string | null;
      next_in: number;
    }>(
      `select holder, coalesce(lease_until > clock_timestamp(), false) as is_held, last_succeeded, last_error,
          extract(epoch from next_at - clock_timestamp())::float as next_in from job_leases`,
    )
  )[0];
const makeDue = () => edge.database.asOwner('update job_leases set next_at = now()');
/** As if its holder had said nothing for so long. */
const letRunOut = () =>
  edge.database.asOwner(`update job_leases set lease_until = clock_timestamp() - interval '1 ms'`);

/** A job that goes on when it is told to, and says when it has begun. */
function slowJob() {
  const began = Promise.withResolvers<Lease>();
  const goOn = Promise.withResolvers<void>();
  const effects: string[] = [];
  return {
    began: began.promise,
    goOn: goOn.resolve,
    effects,
    job: job(async (_deps, lease) => {
      lease.check();
      effects.push('first');
      began.resolve(lease);
      await goOn.promise;
      lease.check();
      effects.push('second');
    }),
  };
}

describe('two runners', () => {
  test('of many at once, one carries out the round', async () => {
    let runs = 0;
    const counted = job(async () => {
      runs += 1;
    });
    const rounds = await Promise.all(
      Array.from({ length: 10 }, (_, index) => runLeased(deps, counted, `runner-${index}`)),
    );
    expect(runs).toBe(1);
    expect(rounds.toSorted()).toEqual(['done', ...Array(9).fill('not-due')]);
  });

  test('while one is at it, however long it takes, nobody else is', async () => {
    const slow = slowJob();
    const pace = { leaseSeconds: 2, renewEveryMs: 20 };
    const round = runLeased(deps, slow.job, 'one', deps, pace);
    const lease = await slow.began;
    // Longer than the lease lasts without being renewed.
    const until = performance.now() + 2_500;
    while (performance.now() < until) {
      expect(await takeLease(deps.db, { job: 'slow', holder: 'two', seconds: 60 })).toBe(false);
      lease.check();
    }
    slow.goOn();
    expect(await round).toBe('done');
    expect(slow.effects).toEqual(['first', 'second']);
  });

  test('nobody begins again before it is due', async () => {
    const quick = job(async () => {});
    expect(await runLeased(deps, quick, 'one')).toBe('done');
    expect(await runLeased(deps, quick, 'two')).toBe('not-due');
    expect((await leaseOf())?.next_in).toBeGreaterThan(59);
    await makeDue();
    expect(await runLeased(deps, quick, 'two')).toBe('done');
  });

  test('a round that failed is kept as such, and is due again soon', async () => {
    const bad = job(async () => {
      throw new Error('no luck today');
    }, 3_600);
    expect(await runLeased(deps, bad, 'one')).toBe('failed');
    const lease = await leaseOf();
    expect(lease).toMatchObject({ last_succeeded: false, is_held: false });
    expect(lease?.last_error).toContain('no luck today');
    expect(lease?.next_in).toBeGreaterThan(59);
    expect(lease?.next_in).toBeLessThanOrEqual(60);
    expect(
      nextSecondsOf(
        job(async () => {}, 5),
        'failed',
      ),
    ).toBe(5);
    expect(nextSecondsOf(bad, 'done')).toBe(3_600);
  });
});

describe('a dead runner', () => {
  test('its job is taken over when its lease has run out, and not before', async () => {
    // Taken, and never heard of again.
    expect(await takeLease(deps.db, { job: 'slow', holder: 'dead', seconds: 60 })).toBe(true);
    let runs = 0;
    const counted = job(async () => {
      runs += 1;
    });
    expect(await runLeased(deps, counted, 'heir')).toBe('not-due');
    await letRunOut();
    expect(await runLeased(deps, counted, 'heir')).toBe('done');
    expect(runs).toBe(1);
  });

  test('one that wakes up again renews nothing, ends nothing, and has no effect any more', async () => {
    const slow = slowJob();
    const pace = { leaseSeconds: 1, renewEveryMs: 60_000 };
    const round = runLeased(deps, slow.job, 'sleeper', deps, pace);
    const lease = await slow.began;
    await letRunOut();
    expect(await takeLease(deps.db, { job: 'slow', holder: 'heir', seconds: 60 })).toBe(true);
    expect(await renewLease(deps.db, { job: 'slow', holder: 'sleeper', seconds: 60 })).toBe(false);
    // By its own clock, too, its time is over before the database's.
    await expect.poll(() => isLost(lease), { interval: 20, timeout: 5_000 }).toBe(true);
    slow.goOn();
    expect(await round).toBe('failed');
    expect(slow.effects).toEqual(['first']);
    expect(said).toContain('a job outlived its lease');
    expect(await leaseOf()).toMatchObject({ holder: 'heir', is_held: true });
    const end = { job: 'slow', nextSeconds: 1, error: null };
    expect(await endLease(deps.db, { ...end, holder: 'sleeper' })).toBe(false);
    expect(await endLease(deps.db, { ...end, holder: 'heir' })).toBe(true);
  });

  test('a lease that somebody else has by now is noticed at the next renewal', async () => {
    const slow = slowJob();
    const pace = { leaseSeconds: 60, renewEveryMs: 20 };
    const round = runLeased(deps, slow.job, 'one', deps, pace);
    const lease = await slow.began;
    await edge.database.asOwner(`update job_leases set holder = 'two'`);
    await expect.poll(() => isLost(lease), { interval: 10, timeout: 5_000 }).toBe(true);
    slow.goOn();
    expect(await round).toBe('failed');
    expect(slow.effects).toEqual(['first']);
    expect(said).toContain('a job lost its lease and stops');
  });

  test('a runner that cannot reach the database stops before another one may begin', async () => {
    const slow = slowJob();
    const pace = { leaseSeconds: 1, renewEveryMs: 30 };
    let isCut = false;
    const db = new Proxy(deps.db, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name !== 'execute') return value;
        return (...statement: unknown[]) =>
          isCut ? Promise.reject(new Error('no route')) : value.apply(target, statement);
      },
    });
    const round = runLeased({ ...deps, db }, slow.job, 'one', deps, pace);
    const lease = await slow.began;
    isCut = true;
    while (!(await takeLease(deps.db, { job: 'slow', holder: 'two', seconds: 60 })));
    expect(isLost(lease)).toBe(true);
    slow.goOn();
    expect(await round).toBe('failed');
    expect(slow.effects).toEqual(['first']);
    expect(said).toContain('lease not renewed');
  });
});

function isLost(lease: Lease): boolean {
  try {
    lease.check();
    return false;
  } catch {
    return true;
  }
}
