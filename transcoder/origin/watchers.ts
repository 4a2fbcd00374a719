// Watchers: who has asked this origin for a playlist a moment ago, told to Redis, so that nobody is counted twice.
import { createHmac } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { audienceBeatMs, createAudienceBook } from '#contract';

/** A player asks for playlists several times a second, or once per segment: who has not for so long has left. */
export const watchedMs = 10_000;
/** Of how many viewers it is known when they asked last; further ones are not counted. */
const watchersMax = 100_000;
/** 96 bits: no two viewers of a stream meet in one hash. */
const hashBytes = 12;
const commandTimeoutMs = 1_500;
const reconnectDelayMsMax = 2_000;

export interface Watchers {
  /** Somebody was given a playlist. */
  see(streamId: string, subject: string): void;
  /** Takes this origin's viewers away and stops. */
  close(): Promise<void>;
}

export interface WatchersOptions {
  redisUrl: string;
  transcoderId: string;
  nodeSecret: string;
  log: Logger;
}

export function createWatchers(options: WatchersOptions): Watchers {
  const { log, nodeSecret } = options;
  const seen = createSeen();
  const redis = new Redis(options.redisUrl, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    retryStrategy: (attempt) => Math.min(attempt * 100, reconnectDelayMsMax),
  });
  let away = false;
  function fail(error: unknown): void {
    if (!away) log.warn({ err: error }, 'redis is away; viewers of this origin are not counted');
    away = true;
  }
  redis.on('error', fail);
  redis.on('ready', () => {
    away = false;
  });

  const book = createAudienceBook({
    nodeId: options.transcoderId,
    hash: (text) =>
      createHmac('sha256', nodeSecret)
        .update(text)
        .digest()
        .subarray(0, hashBytes)
        .toString('base64url'),
    async send(commands) {
      const answers = (await redis.multi(commands).exec()) ?? [];
      for (const [error] of answers) if (error) throw error;
      return answers.at(-1)?.[1];
    },
    onFault: fail,
  });
  let beating: Promise<void> | null = null;
  const timer = setInterval(() => {
    // A beat that Redis keeps waiting is not doubled.
    beating ??= book.beat(seen.now(Date.now()), Date.now()).finally(() => {
      beating = null;
    });
  }, audienceBeatMs);

  return {
    see: (streamId, subject) => seen.add(streamId, subject, Date.now()),
    async close() {
      clearInterval(timer);
      await beating;
      await book.beat([], Date.now());
      redis.disconnect();
    },
  };
}

/** Who was seen when, stream by stream. */
function createSeen() {
  const streams = new Map<string, Map<string, number>>();
  let size = 0;
  return {
    add(streamId: string, subject: string, nowMs: number): void {
      const viewers = streams.get(streamId) ?? new Map<string, number>();
      const isNew = !viewers.has(subject);
      if (isNew && size >= watchersMax) return;
      if (isNew) size += 1;
      viewers.set(subject, nowMs);
      streams.set(streamId, viewers);
    },
    /** Those who were seen a moment ago; the others are forgotten. */
    now(nowMs: number): [string, Iterable<string>][] {
      for (const [streamId, viewers] of streams) {
        for (const [subject, atMs] of viewers) {
          if (nowMs - atMs <= watchedMs) continue;
          viewers.delete(subject);
          size -= 1;
        }
        if (viewers.size === 0) streams.delete(streamId);
      }
      return [...streams].map(([streamId, viewers]) => [streamId, viewers.keys()]);
    },
  };
}
