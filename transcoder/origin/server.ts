// Origin server: HTTP in front of the streams, with its limits, CORS and health.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Health } from '#contract';
import { Refusal } from './refusal.ts';
import type { StreamRoutes } from './stream-routes.ts';

export const connectionsMax = 20_000;
/** Until then a request must be here, whole. */
export const requestMsMax = 5_000;
/** How often requests that are too slow are looked for. */
const slowRequestsIntervalMs = 1_000;
/** Until then an answer must be away, waiting included: who reads more slowly than a segment plays is cut off. */
export const responseMsMax = 30_000;
/** Browsers and CDNs ask one thing at a time on a connection; who asks more could take all places that wait. */
export const requestsAtOnceMax = 8;
const headerBytesMax = 16 * 1024;
/** Longer than the pause between two reloads, so that a player keeps its connection. */
const keepAliveMs = 30_000;
const urlCharsMax = 8_192;
const preflightSeconds = 600;
const livePrefix = '/live/';

export interface OriginOptions {
  routes: StreamRoutes;
  clientOrigins: readonly string[];
  ready(): Promise<Health>;
  log: Logger;
}

export function createOriginServer(options: OriginOptions): Server {
  const server = createServer(
    {
      headersTimeout: requestMsMax,
      requestTimeout: requestMsMax,
      connectionsCheckingInterval: slowRequestsIntervalMs,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: headerBytesMax,
      noDelay: true,
    },
    (request, response) => {
      if (!bound(request, response)) return;
      respond(request, response, options).catch((error) =>
        refuse(request, response, error, options),
      );
    },
  );
  server.maxConnections = connectionsMax;
  return server;
}

const requestsAtOnce = new WeakMap<Socket, number>();

/** Holds a connection to its limits; false when it has broken them, and is cut. */
function bound(request: IncomingMessage, response: ServerResponse): boolean {
  const { socket } = request;
  const atOnce = (requestsAtOnce.get(socket) ?? 0) + 1;
  requestsAtOnce.set(socket, atOnce);
  const deadline = setTimeout(() => socket.destroy(), responseMsMax);
  response.once('close', () => {
    clearTimeout(deadline);
    requestsAtOnce.set(socket, (requestsAtOnce.get(socket) ?? 1) - 1);
  });
  if (atOnce > requestsAtOnceMax) socket.destroy();
  return !socket.destroyed;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: OriginOptions,
): Promise<void> {
  allowOrigin(request, response, options.clientOrigins);
  if (request.method === 'OPTIONS') {
    response.writeHead(204, {
      allow: 'GET, HEAD, OPTIONS',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-max-age': String(preflightSeconds),
    });
    response.end();
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD, OPTIONS');
    throw new Refusal('method-not-allowed', 'this server is read only');
  }
  const target = request.url ?? '/';
  if (target.length > urlCharsMax) throw new Refusal('not-found', 'no such address');
  const [path = '', query = ''] = splitOnce(target, '?');
  if (path === '/healthz' || path === '/readyz') {
    await respondHealth(path, response, options);
    return;
  }
  if (!path.startsWith(livePrefix)) throw new Refusal('not-found', 'no such address');
  await respondStream(path.slice(livePrefix.length), query, request, response, options);
}

async function respondStream(
  path: string,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
  options: OriginOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const answer = await options.routes({
    path,
    query: new URLSearchParams(query),
    acceptsGzip: /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')),
    signal: gone.signal,
  });
  if (gone.signal.aborted) return;
  const bytes = answer.body.reduce((sum, piece) => sum + piece.length, 0);
  response.writeHead(200, {
    'content-type': answer.contentType,
    'content-length': bytes,
    'cache-control': answer.cacheControl,
    'x-content-type-options': 'nosniff',
    ...(answer.gzip ? { 'content-encoding': 'gzip' } : {}),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const stop = answer.generation?.onOver(() => response.destroy());
  if (stop) response.once('close', stop);
  // The pieces are handed over as they are: a segment is never copied together.
  response.cork();
  for (const piece of answer.body) response.write(piece);
  response.end();
}

async function respondHealth(
  path: string,
  response: ServerResponse,
  options: OriginOptions,
): Promise<void> {
  const health: Health =
    path === '/healthz' ? { ok: true, service: 'transcoder', checks: {} } : await options.ready();
  respondJson(response, health.ok ? 200 : 503, 'application/json', health);
}

/** Pages of ours may read the answers; other pages' browsers keep them from them. */
function allowOrigin(
  request: IncomingMessage,
  response: ServerResponse,
  clientOrigins: readonly string[],
): void {
  response.setHeader('vary', 'origin, accept-encoding');
  const { origin } = request.headers;
  if (origin === undefined || !clientOrigins.includes(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  // The pages that isolate themselves may show our thumbnails all the same.
  response.setHeader('cross-origin-resource-policy', 'cross-origin');
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  options: OriginOptions,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const refusal =
    error instanceof Refusal ? error : new Refusal('internal', 'the request could not be served');
  if (refusal !== error) options.log.error({ err: error }, 'request failed');
  if (refusal.code === 'unavailable') response.setHeader('retry-after', '1');
  respondJson(response, refusal.status, 'application/problem+json', refusal.document(), request);
}

function respondJson(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: object,
  request?: IncomingMessage,
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(request?.method === 'HEAD' ? undefined : text);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
