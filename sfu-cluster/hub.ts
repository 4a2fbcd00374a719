// The hub: hears on Redis the events of the streams that have sockets here, and what was revoked.
import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { z } from 'zod';
import {
  assertNever,
  ControlMessage,
  controlChannel,
  type Revocation,
  RoomEvent,
  roomChannel,
  streamOfChannel,
} from '#contract';
import { createOutage } from './outage.ts';
import { connectRedis, redisCommandTimeoutMs, redisReadyOr } from './redis.ts';

/** The subscription is asked so often whether it still lives; silence makes it connect anew. */
const pulseIntervalMs = 5_000;
/** Channels in one SUBSCRIBE after a reconnect. */
const resubscribeBatchMax = 500;
/** A longer message is none of ours. */
const messageCharsMax = 16 * 1024;

interface HubEvents {
  event: [RoomEvent];
  revoked: [Revocation];
  /** The stage of a stream has changed, and these should know. */
  stage: [streamId: string, subjects: string[]];
  /** From here on everything is heard. */
  hearing: [];
  /** From here on nothing is heard. */
  deaf: [];
  /** The link to Redis was broken and stands again: events may have been missed. */
  resync: [];
}

export class Hub extends EventEmitter<HubEvents> {
  readonly #redis: Redis;
  readonly #log: Logger;
  readonly #channels = new Set<string>([controlChannel]);
  readonly #pulse: NodeJS.Timeout;
  #connections = 0;
  #hearing = false;
  #closed = false;

  private constructor(redis: Redis, log: Logger) {
    super();
    this.#redis = redis;
    this.#log = log;
    const outage = createOutage(log, 'the redis subscription');
    redis.on('ready', () => {
      this.#resubscribe().then(
        () => {
          outage.recovered();
          if (this.#closed) return;
          this.#hearing = true;
          this.emit('hearing');
        },
        (error: unknown) => {
          outage.failed(error);
          // A half-made subscription is worse than none: connect again.
          if (!this.#closed) redis.disconnect(true);
        },
      );
    });
    redis.on('close', () => {
      this.#hearing = false;
      this.emit('deaf');
    });
    redis.on('message', (channel, message) => this.#receive(channel, message));
    this.#pulse = setInterval(() => void this.#beat(), pulseIntervalMs);
    this.#pulse.unref();
  }

  static open({ redisUrl, nodeId, log }: { redisUrl: string; nodeId: string; log: Logger }): Hub {
    return new Hub(connectRedis({ url: redisUrl, name: `${nodeId}-hub`, log }), log);
  }

  /** Whether all that is to be heard is heard at the moment. */
  get hearing(): boolean {
    return this.#hearing;
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
    const isHeard = channel === controlChannel ? this.#obey(message) : this.#tell(channel, message);
    if (!isHeard) this.#log.warn({ channel, chars: message.length }, 'a message is none of ours');
  }

  #obey(text: string): boolean {
    const message = parse(ControlMessage, text);
    if (!message) return false;
    switch (message.type) {
      case 'revoked':
        this.emit('revoked', message.revocation);
        return true;
      case 'stage':
        this.emit('stage', message.streamId, message.subjects);
        return true;
      default:
        return assertNever(message);
    }
  }

  #tell(channel: string, text: string): boolean {
    const event = parse(RoomEvent, text);
    if (!event || event.streamId !== streamOfChannel(channel)) return false;
    this.emit('event', event);
    return true;
  }
}

function parse<T>(schema: z.ZodType<T>, text: string): T | null {
  if (text.length > messageCharsMax) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // Logged by the caller, without the content.
    return null;
  }
}
