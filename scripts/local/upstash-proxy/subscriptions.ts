// Upstash's subscriptions: a Redis channel as server-sent events.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Redis } from 'ioredis';

export const subscriptionsMax = 200;
/** A reader that is further behind than this is cut off. */
const unsentBytesMax = 1024 * 1024;

export interface Subscriptions {
  serve(
    kind: 'subscribe' | 'psubscribe',
    names: string[],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>;
  readonly open: number;
}

/** Each subscription has a Redis connection of its own, and ends when that breaks: something may have been missed. */
export function createSubscriptions(redis: Redis): Subscriptions {
  let open = 0;
  return {
    get open() {
      return open;
    },
    async serve(kind, names, request, response) {
      open += 1;
      const link = redis.duplicate({ retryStrategy: () => null, lazyConnect: true });
      link.on('error', () => {
        // `end` follows and closes the answer.
      });
      const finish = () => {
        link.disconnect();
        response.end();
      };
      response.once('close', () => {
        open -= 1;
        link.disconnect();
      });
      request.resume();
      try {
        await link.connect();
        // Sent with the first event: the client hears nothing before it is subscribed.
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
        });
        const send = (...words: string[]) => {
          const lines = words.join(',').split('\n');
          response.write(`${lines.map((line) => `data: ${line}`).join('\n')}\n\n`);
          if (response.writableLength > unsentBytesMax) finish();
        };
        link.on('message', (channel: string, text: string) => send('message', channel, text));
        link.on('pmessage', (pattern: string, channel: string, text: string) =>
          send('pmessage', pattern, channel, text),
        );
        await (kind === 'subscribe' ? link.subscribe(...names) : link.psubscribe(...names));
        link.once('end', finish);
        names.forEach((name, at) => {
          send(kind, name, String(at + 1));
        });
      } catch (error) {
        link.disconnect();
        throw error;
      }
    },
  };
}
