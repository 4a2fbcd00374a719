// The HTTP server of a node: health for orchestrators, figures for the machine itself, room sockets.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Health, problemStatus, problemTitle } from '#contract';

const headersTimeoutMs = 10_000;

interface HttpRoutes {
  ready(): Promise<Health>;
  /** Figures of the running node; told to callers on the same machine only. */
  stats(): object;
}

export function createNodeServer(routes: HttpRoutes): Server {
  const server = createServer((request, response) => {
    route(request, response, routes).catch(() => {
      if (!response.headersSent) answerProblem(response, 'internal');
    });
  });
  server.headersTimeout = headersTimeoutMs;
  server.requestTimeout = headersTimeoutMs;
  return server;
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  routes: HttpRoutes,
): Promise<void> {
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
      if (isLocal(request)) answer(response, 200, routes.stats());
      else answerProblem(response, 'not-found');
      return;
    default:
      answerProblem(response, 'not-found');
  }
}

function isLocal(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress ?? '';
  return address === '::1' || address.replace('::ffff:', '').startsWith('127.');
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
