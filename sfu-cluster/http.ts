// The HTTP server of a node: health for orchestrators, figures for the machine itself, WHIP and WHEP, room sockets.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  assertNever,
  type Health,
  problemStatus,
  problemTitle,
  type SfuNode,
  type SfuStats,
} from '#contract';
import { expositionType } from './metrics/exposition.ts';
import { socketsMax } from './socket-server.ts';
import type { WhipRoutes } from './whip/routes.ts';

/** A connection that has not sent its request by then is cut, */
const requestTimeoutMs = 5_000;
/** looked after this often. */
const connectionsCheckIntervalMs = 1_000;
/** Connections of all kinds: room sockets, and those that are still to say what they want. */
const connectionsMax = socketsMax + 2_000;

interface HttpRoutes {
  ready(): Promise<Health>;
  whip: WhipRoutes;
  /** Each of them opens the figures: they name streams that are not public. */
  secrets: readonly string[];
  stats(): SfuStats;
  /** All nodes that live, as far as this one can see. */
  nodes(): Promise<SfuNode[]>;
  /** The figures as Prometheus reads them. */
  metrics(health: Health): string;
}

export function createNodeServer(routes: HttpRoutes): Server {
  const timeouts = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: requestTimeoutMs,
    connectionsCheckingInterval: connectionsCheckIntervalMs,
  };
  // However many ask, the worker and Redis are asked once at a time.
  let probing: Promise<Health> | null = null;
  const ready = () => {
    probing ??= routes.ready().finally(() => {
      probing = null;
    });
    return probing;
  };
  const server = createServer(timeouts, (request, response) => {
    route(request, response, { ...routes, ready }).catch(() => {
      if (!response.headersSent) answerProblem(response, 'internal');
    });
  });
  server.maxConnections = connectionsMax;
  return server;
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  routes: HttpRoutes,
): Promise<void> {
  if (await routes.whip.serve(request, response)) return;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    answerProblem(response, 'method-not-allowed');
    return;
  }
  switch (request.url) {
    case '/healthz': {
      const health: Health = { ok: true, service: 'sfu', checks: {} };
      answer(response, 200, health);
      return;
    }
    case '/readyz': {
      const health = await routes.ready();
      answer(response, health.ok ? 200 : 503, health);
      return;
    }
    case '/stats':
    case '/nodes':
    case '/metrics':
      if (knowsSecret(request, routes.secrets)) await answerFigures(request.url, response, routes);
      else answerProblem(response, 'not-found');
      return;
    default:
      answerProblem(response, 'not-found');
  }
}

async function answerFigures(
  path: '/stats' | '/nodes' | '/metrics',
  response: ServerResponse,
  routes: HttpRoutes,
): Promise<void> {
  switch (path) {
    case '/stats':
      return answer(response, 200, routes.stats());
    case '/nodes':
      return answer(response, 200, await routes.nodes());
    case '/metrics':
      response.writeHead(200, { 'content-type': expositionType, 'cache-control': 'no-store' });
      response.end(routes.metrics(await routes.ready()));
      return;
    default:
      assertNever(path);
  }
}

function knowsSecret(request: IncomingMessage, secrets: readonly string[]): boolean {
  // Digests have one length, and comparing them takes one time.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const told = digest(request.headers.authorization ?? '');
  return secrets.some((secret) => timingSafeEqual(told, digest(`Bearer ${secret}`)));
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function answerProblem(
  response: ServerResponse,
  code: 'not-found' | 'method-not-allowed' | 'internal',
): void {
  const status = problemStatus(code);
  const body = { type: 'about:blank', code, title: problemTitle(code), status };
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify(body));
}
