// Every route under strange requests: each is refused or taken as documented, soon, and nothing is left behind in memory.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyBooks } from '#db';
import { seededRandom } from '../scripts/prove/random.ts';
import { type Answer, newAddress, startTestEdge, type TestEdge } from '../testing/edge.ts';
import { type Cast, createCast, type Member } from './testing/cast.ts';
import { createFuzzer } from './testing/fuzzer.ts';

const rounds = Number(process.env.FUZZ_ROUNDS ?? 12);
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 1e9));
/** Far more than the slowest takes on a busy machine, and far less than a hang. */
const answerMsMax = 10_000;
const heapGrowthBytesMax = 48 * 1024 * 1024;

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterAll(() => edge.close());

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

/** Requests of one person are limited: they come from many. */
async function people(): Promise<(Member | null)[]> {
  const made: (Member | null)[] = [null];
  for (let one = 0; one < 4; one += 1) {
    for (const role of ['admin', 'performer', 'viewer'] as const)
      made.push(await cast.member(role));
  }
  return made;
}

function faultOf(answer: Answer | Error): string | null {
  if (answer instanceof Error) return answer.message;
  return answer.status === 500 ? 'internal' : null;
}

test(`${rounds} rounds of seed ${seed}: nothing fails, hangs, or is not documented`, async () => {
  const random = seededRandom(seed);
  const callers = await people();
  const { performer, streamId } = await cast.live();
  const fan = await cast.fan();
  const ids = [streamId, performer.id, fan.id];
  const { body: openapi } = await edge.call('GET', '/openapi.json');
  const fuzzer = createFuzzer(openapi, ids, random);
  const statuses = new Map<number, number>();
  const faults: string[] = [];

  async function sendRound(): Promise<void> {
    for (const operation of fuzzer.operations) {
      const { method, path, body, headers } = fuzzer.request(operation);
      const caller = callers[Math.floor(random() * callers.length)];
      const began = performance.now();
      const request = {
        body,
        headers: {
          'x-test-address': newAddress(),
          ...(caller ? { authorization: `Bearer ${caller.token}` } : {}),
          ...headers,
        },
      };
      // It throws where the answer is not as documented; a 500 is, and is a fault all the same.
      const answer = await edge.call(method, path, request).catch((error: Error) => error);
      const isSlow = performance.now() - began > answerMsMax;
      const fault = faultOf(answer) ?? (isSlow ? 'slow' : null);
      if (fault)
        faults.push(`${fault}: ${method} ${path} ${JSON.stringify(request)}`.slice(0, 2_000));
      if ('status' in answer) statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    }
  }

  await sendRound();
  const before = heapUsed();
  for (let round = 1; round < rounds; round += 1) await sendRound();
  expect(faults).toEqual([]);
  expect(heapUsed() - before).toBeLessThan(heapGrowthBytesMax);
  // It came through to what routes do: not everything stopped at the door.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(rounds);
  expect(statuses.get(422) ?? 0).toBeGreaterThan(rounds);
  expect(await verifyBooks(edge.database.db)).toEqual([]);
}, 300_000);
