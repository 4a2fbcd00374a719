// One run of the bank test: thousands of tips at once through the API, some sent twice, some answers lost, the API
// and the database killed in between; and then the count, to the token.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { verifyBooks } from '#db';
import { connectPostgres } from '#db/postgres';
import { type Crowd, makeCrowd } from '../../testing/crowd.ts';
import { createFans, type Fans, type TipAnswer } from '../../testing/tip-client.ts';
import type { Stack } from '../launch/stack.ts';
import { startCuttingProxy } from './cutting-proxy.ts';
import { anyOf, type Random, seededRandom } from './random.ts';

export interface BankSize {
  tips: number;
  viewers: number;
  performers: number;
  /** Tips under way at once. */
  clients: number;
}

/** Tips are of 1 to so many tokens. */
const amountMax = 5;
/** So that some wallets run dry: a little less than the tips of a viewer come to on the average. */
const walletShare = 0.95;
const sentTwiceShare = 0.2;
const answerLostShare = 0.05;
/** When the API is killed, and when the database, by the share of tips that have an answer. */
const apiKillsAt = [0.2, 0.5, 0.8];
const databaseKillAt = 0.65;
const retryDelayMs = 50;
const retriesMax = 2_000;
/** The API refuses a fan's 61st tip of a minute; a run has an hour's fans in seconds. */
const limitsForgottenEveryMs = 250;

export interface BankResult {
  seed: number;
  seconds: number;
  accepted: number;
  refused: number;
  sentTwice: number;
  answersLost: number;
  retries: number;
  kills: number;
  /** Everything that is not as it must be; empty when the run proves what it should. */
  faults: string[];
}

interface Intent {
  viewer: number;
  performer: number;
  amountTokens: number;
  key: string;
  twice: boolean;
  answerLost: boolean;
}

interface Outcome {
  intent: Intent;
  tipId: string | null;
  refusal: string | null;
}

export async function runBank(
  stack: Stack,
  seed: number,
  size: BankSize,
  onProgress: (done: number) => void = () => {},
): Promise<BankResult> {
  const beganAt = performance.now();
  const random = seededRandom(seed);
  const tokens = Math.ceil(((size.tips / size.viewers) * (amountMax + 1) * walletShare) / 2);
  const crowd = await makeCrowd(stack.urls.databaseOwner, { ...size, tokens });
  const proxy = await startCuttingProxy(stack.urls.edge);
  const signingKeys = JSON.stringify(stack.secrets.signingKeys);
  const socketsMax = size.clients * 2;
  const fans = await createFans({ edgeUrl: stack.urls.edge, signingKeys, crowd, socketsMax });
  const cutFans = await createFans({ edgeUrl: proxy.url, signingKeys, crowd, socketsMax });
  const stopForgetting = forgetLimits(stack.urls.redis);
  const result: BankResult = {
    seed,
    seconds: 0,
    accepted: 0,
    refused: 0,
    sentTwice: 0,
    answersLost: 0,
    retries: 0,
    kills: 0,
    faults: [],
  };
  const outcomes: Outcome[] = [];
  const kills = planKills(stack, size.tips, result);

  const intents = Array.from({ length: size.tips }, () => makeIntent(random, size));
  const waiting = intents.values();
  const work = async () => {
    for (const intent of waiting) {
      outcomes.push(await carryOut(intent, fans, cutFans, result));
      kills.after(outcomes.length);
      onProgress(outcomes.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: size.clients }, work));
    await kills.over();
    result.answersLost = proxy.cut;
  } finally {
    await stopForgetting();
    fans.close();
    cutFans.close();
    await proxy.close();
  }
  await countUp(stack, crowd, tokens, outcomes, result);
  result.seconds = Math.round((performance.now() - beganAt) / 100) / 10;
  return result;
}

function makeIntent(random: Random, size: BankSize): Intent {
  return {
    viewer: anyOf(random, size.viewers),
    performer: anyOf(random, size.performers),
    amountTokens: 1 + anyOf(random, amountMax),
    key: randomUUID(),
    twice: random() < sentTwiceShare,
    answerLost: random() < answerLostShare,
  };
}

/** Sends a tip until it has a definite answer, always under its one key. */
async function carryOut(
  intent: Intent,
  fans: Fans,
  cutFans: Fans,
  result: BankResult,
): Promise<Outcome> {
  if (intent.answerLost) {
    await send(cutFans, intent).catch(() => {
      // That is what it is for.
    });
  }
  const copies = intent.twice ? 2 : 1;
  result.sentTwice += copies - 1;
  const answers = await Promise.all(
    Array.from({ length: copies }, () => untilAnswered(fans, intent, result)),
  );
  const ids = new Set(answers.map(({ body, status }) => (status === 201 ? body.tipId : null)));
  const [tipId = null] = ids;
  if (ids.size > 1) {
    result.faults.push(`one key has two outcomes: ${JSON.stringify(answers)}`);
  }
  if (answers.filter(({ status, body }) => status === 201 && !body.replayed).length > 1) {
    result.faults.push(`one key was carried out twice: ${JSON.stringify(answers)}`);
  }
  const taken = [...ids].find((id) => id !== null) ?? null;
  if (taken) result.accepted += 1;
  else result.refused += 1;
  return { intent, tipId: taken ?? tipId, refusal: taken ? null : answers[0]?.body.code };
}

function send(fans: Fans, { viewer, performer, key, amountTokens }: Intent): Promise<TipAnswer> {
  return fans.tip(viewer, performer, key, amountTokens);
}

/** No answer, and every answer that says "try again", is tried again. */
async function untilAnswered(fans: Fans, intent: Intent, result: BankResult): Promise<TipAnswer> {
  for (let attempt = 0; attempt < retriesMax; attempt += 1) {
    try {
      const answer = await send(fans, intent);
      if (answer.status === 201) return answer;
      if (answer.status < 500 && answer.status !== 429) return answer;
      if (answer.status === 500) result.faults.push(`500: ${JSON.stringify(answer.body)}`);
    } catch {
      // Killed, restarting, or cut off.
    }
    result.retries += 1;
    await delay(retryDelayMs);
  }
  throw new Error(`a tip had no answer after ${retriesMax} attempts`);
}

/** Kills parts as a crash would, each once its share of the tips has been answered. */
function planKills(stack: Stack, tips: number, result: BankResult) {
  const due = [
    ...apiKillsAt.map((share) => ({ at: Math.floor(tips * share), part: 'edge' as const })),
    { at: Math.floor(tips * databaseKillAt), part: 'postgres' as const },
  ].toSorted((a, b) => a.at - b.at);
  let killing: Promise<void> = Promise.resolve();
  return {
    after(done: number): void {
      while (due[0] && done >= due[0].at) {
        const { part } = due.shift() ?? { part: 'edge' as const };
        killing = killing.then(async () => {
          await stack.kill(part);
          result.kills += 1;
          await stack.untilReady(part);
        });
      }
    },
    over: async () => {
      await killing;
      await stack.untilReady('edge');
    },
  };
}

function forgetLimits(redisUrl: string): () => Promise<void> {
  const redis = new Redis(redisUrl);
  const timer = setInterval(async () => {
    const keys = await redis.keys('limit:tip:*');
    if (keys.length > 0) await redis.del(keys);
  }, limitsForgottenEveryMs);
  return async () => {
    clearInterval(timer);
    await redis.quit();
  };
}

/** What was acknowledged against what is there, and every invariant of the books. */
async function countUp(
  stack: Stack,
  crowd: Crowd,
  tokens: number,
  outcomes: readonly Outcome[],
  result: BankResult,
): Promise<void> {
  const owner = new pg.Client({ connectionString: stack.urls.databaseOwner });
  await owner.connect();
  try {
    const { rows: tips } = await owner.query<{ id: string; viewer: string; amount: string }>(
      `select id, viewer_id as viewer, amount_tokens as amount from ledger.tips
        where viewer_id = any ($1)`,
      [crowd.viewerIds],
    );
    const there = new Map(tips.map((tip) => [tip.id, tip]));
    const left = new Map(crowd.viewerIds.map((id) => [id, tokens]));
    for (const { intent, tipId } of outcomes) {
      if (!tipId) continue;
      const viewer = crowd.viewerIds[intent.viewer] ?? '';
      const tip = there.get(tipId);
      if (tip?.viewer !== viewer || Number(tip.amount) !== intent.amountTokens) {
        result.faults.push(`an acknowledged tip is missing or another one: ${tipId}`);
      }
      left.set(viewer, (left.get(viewer) ?? 0) - intent.amountTokens);
    }
    if (there.size !== result.accepted) {
      result.faults.push(`${result.accepted} tips were acknowledged, ${there.size} are there`);
    }
    const { rows: balances } = await owner.query<{ id: string; tokens: string }>(
      'select id, ledger.spendable(id) as tokens from unnest($1::uuid[]) id',
      [crowd.viewerIds],
    );
    for (const { id, tokens: kept } of balances) {
      if (Number(kept) !== left.get(id)) {
        result.faults.push(`a wallet holds ${kept} tokens instead of ${left.get(id)}`);
      }
    }
    for (const { intent, refusal } of outcomes) {
      if (refusal && refusal !== 'insufficient-balance') {
        result.faults.push(`a tip of ${intent.amountTokens} was refused with ${refusal}`);
      }
    }
  } finally {
    await owner.end();
  }
  const books = connectPostgres(stack.urls.databaseOwner, {
    connectionsMax: 1,
    statementTimeoutMs: 120_000,
  });
  try {
    for (const violation of await verifyBooks(books.db)) {
      result.faults.push(`${violation.invariant}: ${violation.subject} ${violation.detail}`);
    }
  } finally {
    await books.close();
  }
}
