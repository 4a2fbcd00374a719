// The hub: hears room events on Redis for the streams that have sockets here.
import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { RoomEvent, roomChannel, streamOfChannel } from '#contract';
import { createOutage } from './outage.ts';
import { connectRedis, redisCommandTimeoutMs, redisReadyOr } from './redis.ts';

/** The subscription is asked so often whether it still lives; silence makes it connect anew. */
const pulseIntervalMs = 5_000;
/** Channels in one SUBSCRIBE after a reconnect. */
const resubscribeBatchMax = 500;
/** A message longer than this is no event of ours. */
const eventCharsMax = 16 * 1024;

interface HubEvents {
  event: [RoomEvent];
  /** The link to Redis was broken and stands again: events may have been missed. */
  resync: [];
}

export class Hub extends EventEmitter<HubEvents> {
  readonly #redis: Redis;
  readonly #log: Logger;
  readonly #channels = new Set<string>();
  readonly #pulse: NodeJS.Timeout;
  #connections = 0;
  #closed = false;

  private constructor(redis: Redis, log: Logger) {
    super();
    this.#redis = redis;
    this.#log = log;
    const outage = createOutage(log, 'the redis subscription');
    redis.on('ready', () => {
      this.#resubscribe().then(
        () => outage.recovered(),
        (error: unknown) => {
          outage.failed(error);
          // A half-made subscription is worse than none: connect again.
          if (!this.#closed) redis.disconnect(true);
        },
      );
    });
    redis.on('message', (channel, message) => this.#receive(channel, message));
    this.#pulse = setInterval(() => void this.#beat(), pulseIntervalMs);
    this.#pulse.unref();
  }

  static open({ redisUrl, nodeId, log }: { redisUrl: string; nodeId: string; log: Logger }): Hub {
    return new Hub(connectRedis({ url: redisUrl, name: `${nodeId}-hub`, log }), log);
  }

  /** Whether events are heard at the moment. */
  get hearing(): boolean {
    return this.#redis.status === 'ready';
  }

  /** Waits for the first connection, but no longer than `timeoutMs`. */
  async ready(timeoutMs: number): Promise<void> {
    await redisReadyOr(this.#redis, timeoutMs);
  }

  /** Hears this stream's events from now on; rejects while Redis is away. */
  async listen(streamId: string): Promise<void> {
    const channel = roomChannel(streamId);
    // Known before it stands, so that a reconnect in between takes it along.
    this.#channels.add(channel);
    try {
      await this.#redis.subscribe(channel);
    } catch (error) {
      this.#channels.delete(channel);
      throw error;
    }
  }

  forget(streamId: string): void {
    const channel = roomChannel(streamId);
    if (!this.#channels.delete(channel) || this.#closed) return;
    // While Redis is away there is nothing to unsubscribe from.
    this.#redis.unsubscribe(channel).catch(() => undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pulse);
    this.removeAllListeners();
    this.#redis.disconnect();
  }

  async #resubscribe(): Promise<void> {
    this.#connections += 1;
    const channels = [...this.#channels];
    for (let from = 0; from < channels.length; from += resubscribeBatchMax) {
      await this.#redis.subscribe(...channels.slice(from, from + resubscribeBatchMax));
    }
    if (this.#connections > 1 && !this.#closed) this.emit('resync');
  }

  /** A connection may be dead without saying so: then it does not answer. */
  async #beat(): Promise<void> {
    if (this.#redis.status !== 'ready') return;
    try {
      await this.#redis.ping();
    } catch (error) {
      if (this.#closed) return;
      this.#log.warn({ err: error, timeoutMs: redisCommandTimeoutMs }, 'redis is silent');
      this.#redis.disconnect(true);
    }
  }

  #receive(channel: string, message: string): void {
    const event = this.#parse(message);
    if (!event || event.streamId !== streamOfChannel(channel)) {
      this.#log.warn({ channel, chars: message.length }, 'a message is no room event');
      return;
    }
    this.emit('event', event);
  }

  #parse(message: string): RoomEvent | null {
    if (message.length > eventCharsMax) return null;
    try {
      return RoomEvent.parse(JSON.parse(message));
    } catch {
      // Logged by the caller, without the content.
      return null;
    }
  }
}
