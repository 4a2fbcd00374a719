// Edge channel: what the edge calls out on Redis. There is work; or something is not to be believed any more.
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { ControlMessage, controlChannel, type Revocation, transcodeNudgeChannel } from '#contract';

const reconnectDelayMsMax = 2_000;
const probeTimeoutMs = 1_000;
/** A channel on which nothing is said looks like one that is broken: so often it is tried. */
export const pingIntervalMs = 5_000;
/** A connection on which no answer comes for so long is opened anew. */
const silentMsMax = 5_000;

export interface EdgeChannel {
  /** Throws when Redis does not answer. */
  probe(): Promise<void>;
  close(): void;
}

export interface EdgeChannelOptions {
  redisUrl: string;
  log: Logger;
  /** There is work, or something may have been missed: report now. */
  onNudge(): void;
  onRevoked(revocation: Revocation): void;
  /** Redis is there, and everything that it was given before has been heard. */
  onAlive(): void;
}

/** Without Redis work is found, and revocations are heard of, at the next report. */
export function listenToEdge(options: EdgeChannelOptions): EdgeChannel {
  const { log } = options;
  const redis = new Redis(options.redisUrl, {
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(attempt * 100, reconnectDelayMsMax),
    enableReadyCheck: false,
    socketTimeout: silentMsMax,
  });
  let away = false;
  redis.on('error', (error) => {
    if (!away) log.warn({ err: error }, 'redis is away; the edge is heard at the next report');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info('redis is back');
    away = false;
    // Calls may have been missed meanwhile.
    options.onNudge();
  });
  redis.on('message', (channel, text) => {
    options.onAlive();
    if (channel === transcodeNudgeChannel) options.onNudge();
    else hearControl(text, options);
  });
  // ioredis subscribes again after each reconnection; a failure here means that we are closing.
  redis.subscribe(transcodeNudgeChannel, controlChannel).catch(() => {});
  const pinging = setInterval(() => {
    if (redis.status !== 'ready') return;
    // A ping that is not answered ends the connection, and shows there.
    redis.ping().then(options.onAlive, () => {});
  }, pingIntervalMs);

  return {
    async probe() {
      if (redis.status !== 'ready') throw new Error(`redis is ${redis.status}`);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('redis does not answer')), probeTimeoutMs);
      });
      try {
        await Promise.race([redis.ping(), late]);
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      clearInterval(pinging);
      redis.disconnect();
    },
  };
}

function hearControl(text: string, { log, onNudge, onRevoked }: EdgeChannelOptions): void {
  const message = readMessage(text);
  if (message?.type === 'stage') return;
  if (message) {
    onRevoked(message.revocation);
    return;
  }
  // Something is not to be believed any more, and nobody here can tell what: the report will.
  log.warn('a control message could not be read');
  onNudge();
}

function readMessage(text: string): ControlMessage | null {
  try {
    return ControlMessage.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // Not even JSON.
    return null;
  }
}
