// The job runner as a process: two share the jobs, and what a killed one leaves behind the other takes up.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readBalance, verifyBooks } from '#db';
import { type Child, nodeCommand, startChild } from '../../scripts/launch/child.ts';
import { freePort } from '../../scripts/launch/free-port.ts';
import { probeReady } from '../../scripts/launch/probe.ts';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { jobs } from '../jobs/index.ts';
import { createCast } from '../testing/cast.ts';

let edge: TestEdge;
const runners: Child[] = [];
beforeAll(async () => {
  edge = await startTestEdge();
  await edge.control.setFaults({ webhooks: { mode: 'manual' } });
});
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.kill()));
  await edge.database.asOwner('delete from job_leases');
});
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

async function startRunner(): Promise<Child> {
  const port = await freePort();
  const runner = startChild(
    nodeCommand('edge/runtime/jobs.ts', { ...edge.env, JOBS_PORT: String(port) }),
    () => {},
  );
  runners.push(runner);
  await expect
    .poll(() => probeReady(`http://127.0.0.1:${port}`, AbortSignal.timeout(1_000)), {
      timeout: 20_000,
      interval: 50,
    })
    .toBeUndefined();
  return runner;
}

/** A payment that only the reconciler can find, which is due now. */
async function paidInSilence() {
  const cast = createCast(edge);
  const buyer = await cast.member();
  const order = await cast.order(buyer);
  await edge.control.pay(order.gatewayOrderId);
  await edge.database.asOwner('update orders set check_at = now() where id = $1', [order.id]);
  return buyer;
}

const holderOf = async (name: string) =>
  (
    await edge.database.asOwner<{ pid: string }>(
      `select split_part(holder, ':', 2) as pid from job_leases where name = $1 and lease_until > now()`,
      [name],
    )
  )[0]?.pid;

test('two runners carry out every job, between them, and end when they are told to', async () => {
  const buyer = await paidInSilence();
  const both = [await startRunner(), await startRunner()];
  await expect
    .poll(
      async () =>
        (
          await edge.database.asOwner(
            'select name from job_leases where last_succeeded order by name',
          )
        ).map(({ name }) => name),
      { timeout: 20_000, interval: 50 },
    )
    .toEqual(jobs.map(({ name }) => name).toSorted());
  expect(await readBalance(edge.database.db, buyer.id)).toBe(50);
  const ends = await Promise.all(both.map((runner) => runner.stop()));
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
}, 60_000);

test('a job whose runner was killed in the midst of it is taken over, and credits once', async () => {
  const buyer = await paidInSilence();
  // The gateway does not answer, and the runner that asks is killed meanwhile.
  await edge.control.setFaults({ answers: { rules: [{ fault: 'hang', path: '/payments' }] } });
  const first = await startRunner();
  await expect
    .poll(() => holderOf('reconcile'), { timeout: 20_000, interval: 20 })
    .toBe(String(first.pid));
  await first.kill();
  await edge.control.setFaults({ answers: { rules: [] } });
  await edge.database.asOwner(`delete from job_leases where name <> 'reconcile'`);
  await startRunner();
  // The other one has been at every job, and the lease of the dead is respected until it has run out.
  await expect
    .poll(
      () =>
        edge.database.asOwner('select from job_leases where last_succeeded').then((r) => r.length),
      { timeout: 20_000, interval: 50 },
    )
    .toBe(jobs.length - 1);
  expect(await holderOf('reconcile')).toBe(String(first.pid));
  await edge.database.asOwner(
    `update job_leases set lease_until = now() - interval '1 second' where name = 'reconcile'`,
  );
  await edge.database.asOwner(`update orders set check_at = now() where state <> 'paid'`);
  await expect
    .poll(() => readBalance(edge.database.db, buyer.id), { timeout: 20_000, interval: 100 })
    .toBe(50);
}, 60_000);
