// Killed at every await of the paths of money: afterwards all is as if nothing had happened, and nothing happened twice.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyBooks } from '#db';
import { type ChildEnd, nodeCommand, startChild } from '../../scripts/launch/child.ts';
import { freePort } from '../../scripts/launch/free-port.ts';
import { probeReady } from '../../scripts/launch/probe.ts';
import { type Answer, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { sealBooks, signCheckpoint } from '../jobs/chain.ts';
import { jobs } from '../jobs/index.ts';
import { unleased } from '../jobs/lease.ts';
import { createCast } from '../testing/cast.ts';
import { bookScenarios } from '../testing/scenarios/books.ts';
import { paymentScenarios } from '../testing/scenarios/payments.ts';
import { payoutScenarios } from '../testing/scenarios/payouts.ts';
import { makeAllDue, type Run, type Scenario, type Send } from '../testing/scenarios/scenario.ts';
import { createFailpoints, type Failpoint, moneyFailpoints } from './failpoints.ts';

/** Far more than it takes, also on a machine that is busy with others. */
const readyTimeoutMs = 60_000;
const deathTimeoutMs = 60_000;

let edge: TestEdge;
let compiled: string;
let scenarios: Scenario[] = [];
beforeAll(async () => {
  edge = await startTestEdge();
  compiled = await mkdtemp(join(tmpdir(), 'livepanty-compiled-'));
  // Nobody tells what becomes of anything: it has to be found out.
  await edge.control.setFaults({ webhooks: { mode: 'manual' } });
  const world = { edge, cast: createCast(edge) };
  scenarios = [...paymentScenarios(world), ...payoutScenarios(world), ...bookScenarios(world)];
  // One that ends in peace leaves its compiled code to those that are killed.
  const { ended } = startChild(childCommand('edge/testing/run-job.ts', {}, ['seal']), () => {});
  expect(await ended).toMatchObject({ code: 0 });
}, readyTimeoutMs);
afterAll(async () => {
  await edge.close();
  await rm(compiled, { recursive: true, force: true });
});

const childCommand = (file: string, env: Record<string, string>, args: string[] = []) =>
  nodeCommand(file, { ...edge.env, NODE_COMPILE_CACHE: compiled, ...env }, args);

/** Requests to an edge that may die of them. */
const sendTo =
  (url: string): Send =>
  async (who, method, path, { body, headers } = {}): Promise<Answer> => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(who ? { authorization: `Bearer ${who.token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : null };
  };

/** Carries out what a run does in a process that is killed at the failpoint, and sees it die there. */
async function killAt(point: Failpoint, { act }: Run): Promise<void> {
  const lines: string[] = [];
  const isJob = typeof act === 'string';
  const port = isJob ? 0 : await freePort();
  const command = isJob
    ? childCommand('edge/testing/run-job.ts', { FAILPOINTS: point }, [act])
    : childCommand('edge/runtime/node.ts', { FAILPOINTS: point, EDGE_PORT: String(port) });
  const child = startChild(command, (line) => lines.push(line));
  try {
    if (!isJob) {
      const url = `http://127.0.0.1:${port}`;
      await expect
        .poll(() => probeReady(url, AbortSignal.timeout(1_000)), {
          timeout: readyTimeoutMs,
          interval: 30,
        })
        .toBeUndefined();
      // Whether an answer comes before the end is a matter of luck.
      await act(sendTo(url)).catch(() => {});
    }
    const end = await Promise.race([child.ended, lateEnd()]);
    expect(end, lines.join('\n')).toMatchObject({ signal: 'SIGKILL' });
    expect(lines).toContain(`killed at ${point}`);
  } finally {
    await child.kill();
  }
}

const lateEnd = () =>
  new Promise<ChildEnd>((resolve) => {
    setTimeout(() => resolve({ code: null, signal: null }), deathTimeoutMs).unref();
  });

/** Carries out what a run does where nobody is killed, until there is nothing left to do. */
async function carryOut({ act }: Run): Promise<void> {
  if (typeof act !== 'string') {
    const { status, body } = await act(sendTo(edge.url));
    expect([200, 201, 204], JSON.stringify(body)).toContain(status);
    return;
  }
  const job = jobs.find(({ name }) => name === act);
  // What the bank makes of the first round is heard in the second one.
  for (let round = 0; round < 2; round += 1) {
    await makeAllDue(edge);
    await job?.run(edge.parts.deps, unleased);
    await edge.control.settled();
  }
}

test('every failpoint has one scenario', () => {
  const covered = scenarios.flatMap(({ points }) => points);
  expect(covered.toSorted()).toEqual(moneyFailpoints.toSorted());
});

test('without a death each scenario ends as it says', async () => {
  for (const scenario of scenarios) {
    const run = await scenario.begin();
    await carryOut(run);
    expect(await run.end(), scenario.points[0]).toEqual(scenario.ends);
  }
}, 180_000);

test.each(moneyFailpoints)(
  'killed at %s',
  async (point) => {
    const scenario = scenarios.find(({ points }) => points.includes(point));
    if (!scenario) throw new Error(`nobody comes by ${point}`);
    const run = await scenario.begin();
    await makeAllDue(edge);
    await killAt(point, run);
    await edge.control.settled();
    await carryOut(run);
    expect(await run.end()).toEqual(scenario.ends);
    // Nobody keeps the chain here, and all of this may take longer than it may stand still.
    await sealBooks(edge.parts.deps);
    await signCheckpoint(edge.parts.deps);
    expect(await verifyBooks(edge.database.db)).toEqual([]);
  },
  180_000,
);

test('a failpoint that there is not is refused, and none is reached unless it is asked for', () => {
  expect(() => createFailpoints('tip.posted,nonsense', () => {})).toThrow('nonsense');
  const reached: string[] = [];
  createFailpoints('', (name) => reached.push(name))('tip.posted');
  const reach = createFailpoints(' tip.posted , order.kept', (name) => reached.push(name));
  reach('order.placed');
  expect(reached).toEqual([]);
  reach('tip.posted');
  expect(reached).toEqual(['tip.posted']);
});
