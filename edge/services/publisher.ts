// Publishing: tells stored events to the rooms' sockets; what fails here is told again by the relay.
import {
  type ControlMessage,
  controlChannel,
  type Revocation,
  roomChannel,
  transcodeNudgeChannel,
} from '#contract';
import type { StoredEvent } from '#db';
import type { EdgeRedis } from './edge-redis.ts';
import type { Log } from './log.ts';

/** Ids of events that were published and not yet marked so in the database, scored by time. */
const publishedKey = 'events:published';
/** An id that the relay has not fetched by then is of a row that it will publish once more. */
const publishedKeepMs = 10 * 60_000;

export interface Publisher {
  /** Publishes in order; never throws, because the relay comes after. */
  publish(events: readonly StoredEvent[]): Promise<void>;
  /** Tells media nodes what to believe no more; answers whether they could be told. Never throws. */
  revoke(revocations: readonly Revocation[]): Promise<boolean>;
  /** Tells these people that the stage of a stream has changed; whoever does not hear it finds out later. */
  tellStage(streamId: string, subjects: readonly string[]): Promise<void>;
  /** Tells transcoders that there is work. */
  nudgeTranscoders(): Promise<void>;
  /** Of these ids, those that have been published. Throws when Redis is away. */
  published(eventIds: readonly number[]): Promise<Set<number>>;
  /** Forgets ids that the database has marked. */
  forget(eventIds: readonly number[]): Promise<void>;
}

export function createPublisher(redis: EdgeRedis, log: Log): Publisher {
  return {
    async publish(events) {
      if (events.length === 0) return;
      try {
        await redis.run((client) => {
          const pipeline = client.pipeline();
          for (const event of events) {
            pipeline.publish(roomChannel(event.streamId), JSON.stringify(event));
            pipeline.zadd(publishedKey, { score: Date.now(), member: String(event.id) });
          }
          return pipeline.exec();
        });
      } catch (error) {
        log.warn('events not published yet', { count: events.length, error: String(error) });
      }
    },

    async revoke(revocations) {
      if (revocations.length === 0) return true;
      try {
        await redis.run((client) => {
          const pipeline = client.pipeline();
          for (const revocation of revocations) {
            const message: ControlMessage = { type: 'revoked', revocation };
            pipeline.publish(controlChannel, JSON.stringify(message));
          }
          return pipeline.exec();
        });
        return true;
      } catch (error) {
        log.warn('revocations not told yet', { count: revocations.length, error: String(error) });
        return false;
      }
    },

    async tellStage(streamId, subjects) {
      const message: ControlMessage = { type: 'stage', streamId, subjects: [...subjects] };
      try {
        await redis.run((client) => client.publish(controlChannel, JSON.stringify(message)));
      } catch (error) {
        log.debug('the stage was not told', { streamId, error: String(error) });
      }
    },

    async nudgeTranscoders() {
      try {
        await redis.run((client) => client.publish(transcodeNudgeChannel, '1'));
      } catch (error) {
        // They ask by themselves every few seconds.
        log.debug('transcoders not nudged', { error: String(error) });
      }
    },

    async published(eventIds) {
      if (eventIds.length === 0) return new Set();
      const scores = await redis.run((client) =>
        client.zmscore(publishedKey, eventIds.map(String)),
      );
      return new Set(eventIds.filter((_, index) => scores?.[index] != null));
    },

    async forget(eventIds) {
      const [first, ...rest] = eventIds.map(String);
      await redis.run((client) => {
        const pipeline = client.pipeline();
        if (first !== undefined) pipeline.zrem(publishedKey, first, ...rest);
        pipeline.zremrangebyscore(publishedKey, 0, Date.now() - publishedKeepMs);
        return pipeline.exec();
      });
    },
  };
}
