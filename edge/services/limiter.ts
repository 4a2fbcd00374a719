// The limiter: the generic cell rate algorithm on Redis, the same for all instances of the edge.
import type { Redis } from '@upstash/redis';
import type { EdgeRedis } from './edge-redis.ts';

/** So many requests at once, and as many again spread over the window. */
export interface Quota {
  requestsMax: number;
  windowSeconds: number;
}

export interface Taken {
  isAllowed: boolean;
  /** How many more would be allowed now. */
  left: number;
  /** When one more is allowed; 0 for now. */
  retryAfterMs: number;
}

/** One key's state is the moment at which it would be as if it had never been used (GCRA's TAT). */
interface Asked {
  key: string;
  quota: Quota;
}

/**
 * Each key with the milliseconds that one request takes of its window, its window, and how many requests it is. All
 * keys are asked before any is used: what one refuses costs the others nothing. With `force` what was done is counted
 * without asking. By Redis's own clock, because those of the instances differ. Answers for each key how many
 * milliseconds ahead of now it stands after that, and 1 or 0 first.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local force = ARGV[1] == '1'
local allowed = 1
local ahead = {}
for i, key in ipairs(KEYS) do
  local step, window, count = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local stands = math.max(tonumber(redis.call('GET', key) or 0) - now, 0)
  ahead[i] = stands
  if not force and stands + step * count > window then allowed = 0 end
end
if allowed == 1 then
  for i, key in ipairs(KEYS) do
    ahead[i] = ahead[i] + ARGV[3 * i - 1] * ARGV[3 * i + 1]
    redis.call('SET', key, string.format('%.3f', now + ahead[i]), 'PX', math.ceil(ahead[i]) + 1)
  end
end
local answer = { allowed }
for i = 1, #KEYS do answer[i + 1] = string.format('%.3f', ahead[i]) end
return answer`;

/** Keys that are counted in this instance alone while Redis is away, and reads that are told to Redis later. */
const localKeysMax = 20_000;
/**
 * What was read is told to Redis so often, for so many keys at a time, those that wait longest first, so that neither
 * side is held up. An instance may allow what another one has used up for so long, and longer when more keys than that
 * are read; keys beyond the last limit are told when there is room again.
 */
export const readsToldEveryMs = 50;
const readsToldAtOnce = 100;
const readsKeptMax = 20_000;

const stepMsOf = ({ requestsMax, windowSeconds }: Quota) => (windowSeconds * 1000) / requestsMax;

/** How a quota stands that is so many milliseconds ahead. */
function standing(quota: Quota, aheadMs: number, isAllowed: boolean): Taken {
  const windowMs = quota.windowSeconds * 1000;
  const stepMs = stepMsOf(quota);
  return {
    isAllowed,
    left: Math.max(0, Math.floor((windowMs - aheadMs) / stepMs + 1e-6)),
    retryAfterMs: isAllowed ? 0 : Math.max(1, aheadMs + stepMs - windowMs),
  };
}

export type Limiter = ReturnType<typeof createLimiter>;

export function createLimiter(redis: EdgeRedis, nowMs: () => number = () => performance.now()) {
  /** By key, when it would be as if it had never been used; the oldest go first. */
  const local = new Map<string, number>();
  const reads = new Map<string, { quota: Quota; count: number }>();
  let toldAtMs = 0;
  let compiled: { client: Redis; run: ReturnType<Redis['createScript']> } | null = null;

  function runOn(client: Redis, asked: readonly (Asked & { count: number })[], force: boolean) {
    if (compiled?.client !== client) compiled = { client, run: client.createScript(script) };
    return compiled.run.exec(
      asked.map(({ key }) => key),
      [
        force ? '1' : '0',
        ...asked.flatMap(({ quota, count }) => [
          String(stepMsOf(quota)),
          String(quota.windowSeconds * 1000),
          String(count),
        ]),
      ],
    ) as Promise<[number, ...(string | number)[]]>;
  }

  const aheadHere = (key: string) => Math.max((local.get(key) ?? 0) - nowMs(), 0);

  function keepHere(key: string, aheadMs: number): void {
    local.delete(key);
    local.set(key, nowMs() + aheadMs);
    const [oldest] = local.keys();
    if (local.size > localKeysMax && oldest !== undefined) local.delete(oldest);
  }

  function takeHere(asked: readonly Asked[]): Taken[] {
    const isAllowed = asked.every(
      ({ key, quota }) => aheadHere(key) + stepMsOf(quota) <= quota.windowSeconds * 1000 + 1e-6,
    );
    return asked.map(({ key, quota }) => {
      const aheadMs = aheadHere(key) + (isAllowed ? stepMsOf(quota) : 0);
      if (isAllowed) keepHere(key, aheadMs);
      return standing(quota, aheadMs, isAllowed);
    });
  }

  return {
    /** Takes one of each, or none where any of them is used up. While Redis is away each instance counts for itself. */
    async take(asked: readonly Asked[]): Promise<Taken[]> {
      try {
        const counted = asked.map((one) => ({ ...one, count: 1 }));
        const [allowed, ...ahead] = await redis.run((client) => runOn(client, counted, false));
        return asked.map(({ quota }, index) =>
          standing(quota, Number(ahead[index]), allowed === 1),
        );
      } catch {
        return takeHere(asked);
      }
    },

    /**
     * Takes one without asking anybody else first; others are told behind one of the next answers (`defer`), at most
     * every `readsToldEveryMs`. For reads, which must not wait for Redis.
     */
    takeRead(key: string, quota: Quota, defer: (work: Promise<unknown>) => void): Taken {
      const [taken] = takeHere([{ key, quota }]);
      if (!taken) throw new Error('one was asked for');
      if (taken.isAllowed) {
        const read = reads.get(key);
        if (read) read.count += 1;
        else if (reads.size < readsKeptMax) reads.set(key, { quota, count: 1 });
      }
      if (nowMs() - toldAtMs >= readsToldEveryMs && reads.size > 0) {
        toldAtMs = nowMs();
        defer(tellReads());
      }
      return taken;
    },
  };

  /** What others have read meanwhile comes back with the answer. */
  async function tellReads(): Promise<void> {
    const told = [...reads.entries().take(readsToldAtOnce)].map(([key, read]) => ({
      key,
      ...read,
    }));
    for (const { key } of told) reads.delete(key);
    try {
      const [, ...ahead] = await redis.run((client) => runOn(client, told, true));
      for (const [index, { key, quota }] of told.entries()) {
        const since = reads.get(key)?.count ?? 0;
        const aheadMs = Number(ahead[index]) + since * stepMsOf(quota);
        keepHere(key, Math.max(aheadMs, aheadHere(key)));
      }
    } catch {
      // Redis is away: each instance goes by what it has counted itself.
    }
  }
}
