// Audiences: counts who watches each stream, from what media nodes have written to Redis, each viewer once.
import { type AudiencePart, audiencePartOf, audiencePartsKey, audienceUnionKey } from '#contract';
import { countAudiences, rankTips } from '#db';
import type { Deps } from '../deps.ts';

/** Streams that are counted with one request. */
const streamsPerRequest = 500;
/** Parts of nodes whose clocks are slow are looked at for so long; whether they still are there Redis says. */
const slowClockMs = 60_000;
const namesPerCommand = 1_000;
/** A tip counts at once, and also if no rank was counted for so long. */
const tipsRecentSeconds = 300;

type Parts = Record<AudiencePart['kind'], string[]>;
type Counted = { streamId: string; viewers: number };

/** One round. Answers how many streams somebody watches. */
export async function countViewers(
  deps: Pick<Deps, 'db' | 'redis' | 'now'>,
): Promise<{ streams: number }> {
  const streams = [...(await readParts(deps))];
  const isMixed = ([, { exact, estimate }]: [string, Parts]) =>
    exact.length > 0 && estimate.length > 0;
  const alike = streams.filter((stream) => !isMixed(stream));
  const counts: Counted[] = [];
  for (let from = 0; from < alike.length; from += streamsPerRequest) {
    counts.push(...(await countAlike(deps, alike.slice(from, from + streamsPerRequest))));
  }
  for (const stream of streams.filter(isMixed)) counts.push(await countMixed(deps, ...stream));
  const watched = counts.filter(({ viewers }) => viewers > 0);
  await countAudiences(deps.db, watched);
  return { streams: watched.length };
}

/** One round. Answers of how many streams the rank has changed. */
export async function rankStreams(deps: Pick<Deps, 'db'>): Promise<{ ranked: number }> {
  return { ranked: await rankTips(deps.db, tipsRecentSeconds) };
}

/** The keys of all parts that may be there, by stream. */
async function readParts(deps: Pick<Deps, 'redis' | 'now'>): Promise<Map<string, Parts>> {
  const oldestMs = deps.now().getTime() - slowClockMs;
  const [, keys] = await deps.redis.run((redis) =>
    redis
      .pipeline()
      .zremrangebyscore(audiencePartsKey, 0, oldestMs)
      .zrange<string[]>(audiencePartsKey, 0, -1)
      .exec<[number, string[]]>(),
  );
  const byStream = new Map<string, Parts>();
  for (const key of keys) {
    const part = audiencePartOf(key);
    if (!part) continue;
    const parts = byStream.get(part.streamId) ?? { exact: [], estimate: [] };
    parts[part.kind].push(key);
    byStream.set(part.streamId, parts);
  }
  return byStream;
}

/** Counts streams whose parts are all of one kind, in one request. */
async function countAlike(
  { redis }: Pick<Deps, 'redis'>,
  streams: readonly [string, Parts][],
): Promise<Counted[]> {
  const answers = await redis.run((client) => {
    const pipeline = client.pipeline();
    for (const [streamId, { exact, estimate }] of streams) {
      const union = audienceUnionKey(streamId);
      if (estimate.length > 0) pipeline.pfcount(union, ...estimate);
      else pipeline.sunionstore(union, union, ...exact);
      pipeline.del(union);
    }
    return pipeline.exec<number[]>();
  });
  // Each has two answers: the count, and that its union is gone.
  return streams.map(([streamId], index) => ({ streamId, viewers: answers[2 * index] ?? 0 }));
}

/** Counts a stream that some nodes have many viewers of and others few. */
async function countMixed(
  { redis }: Pick<Deps, 'redis'>,
  streamId: string,
  { exact, estimate }: Parts,
): Promise<Counted> {
  const union = audienceUnionKey(streamId);
  const names = (await redis.run((client) => client.sunion(union, ...exact))).map(String);
  const answers = await redis.run((client) => {
    const pipeline = client.pipeline();
    for (let from = 0; from < names.length; from += namesPerCommand) {
      pipeline.pfadd(union, ...names.slice(from, from + namesPerCommand));
    }
    pipeline.pfcount(union, ...estimate).del(union);
    return pipeline.exec<number[]>();
  });
  return { streamId, viewers: answers.at(-2) ?? 0 };
}
