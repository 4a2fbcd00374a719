// The local stand-in for Upstash: its REST protocol in front of one Redis.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { equalSecrets } from '../equal-secrets.ts';
import { answerHealth, BodyTooLarge, listenLocally, readBody, sendJson } from '../http.ts';
import { createRestEndpoint } from './rest.ts';
import { createSubscriptions, subscriptionsMax } from './subscriptions.ts';

export const requestBodyBytesMax = 1024 * 1024;
const commandTimeoutMs = 5_000;
const reconnectDelayMaxMs = 1_000;

export interface UpstashProxy {
  port: number;
  close(): Promise<void>;
}

/** Starts the stand-in on the loopback address, for clients that carry `token`. */
export async function startUpstashProxy(options: {
  redisUrl: string;
  token: string;
  port: number;
  log: Logger;
}): Promise<UpstashProxy> {
  const { log } = options;
  const redis = new Redis(options.redisUrl, {
    // Replies as the REST protocol shows them: arrays, never maps.
    protocol: 2,
    commandTimeout: commandTimeoutMs,
    maxRetriesPerRequest: 1,
    // A command that was sent is never sent twice: INCR must not count double.
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(attempt * 50, reconnectDelayMaxMs),
  });
  // Only its words: the error object carries the command, and that may be AUTH.
  redis.on('error', ({ message }: Error) => log.warn({ message }, 'the link to Redis broke'));
  const answerRest = createRestEndpoint(redis);
  const subscriptions = createSubscriptions(redis);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const probes = { redis: async () => void (await redis.ping()) };
    if (await answerHealth(request, response, 'upstash-proxy', probes)) return;

    const url = URL.parse(request.url ?? '/', 'http://local');
    if (!url) return sendJson(response, 400, { error: 'ERR malformed path' });
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const token = bearer ?? url.searchParams.get('_token') ?? '';
    if (!equalSecrets(token, options.token))
      return sendJson(response, 401, { error: 'Unauthorized' });
    url.searchParams.delete('_token');

    const segments = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    const [first, ...names] = segments;
    if ((first === 'subscribe' || first === 'psubscribe') && names.length > 0) {
      if (subscriptions.open >= subscriptionsMax) {
        return sendJson(response, 429, { error: 'ERR too many subscriptions' });
      }
      return await subscriptions.serve(first, names, request, response);
    }
    if (!['GET', 'POST', 'PUT', 'HEAD'].includes(request.method ?? '')) {
      return sendJson(response, 405, { error: 'ERR only GET, HEAD, POST and PUT are taken' });
    }
    const { status, body } = await answerRest({
      segments,
      query: url.searchParams,
      text: await readBody(request, requestBodyBytesMax),
      base64: request.headers['upstash-encoding'] === 'base64',
    });
    sendJson(response, status, body);
  }

  const listening = await listenLocally((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy();
      if (error instanceof BodyTooLarge) {
        response.setHeader('connection', 'close');
        return sendJson(response, 413, {
          error: `ERR max request size exceeded: ${error.message}`,
        });
      }
      if (error instanceof URIError)
        return sendJson(response, 400, { error: 'ERR malformed path' });
      const message = error instanceof Error ? error.message : String(error);
      log.debug({ message }, 'a request broke off');
      sendJson(response, 503, { error: 'ERR redis cannot be reached' });
    });
  }, options.port);

  let closed: Promise<void> | null = null;
  return {
    port: listening.port,
    close() {
      closed ??= (async () => {
        await listening.close();
        redis.disconnect();
      })();
      return closed;
    },
  };
}
