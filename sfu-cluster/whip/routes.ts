// WHIP and WHEP of a node, over HTTP: an offer makes a resource, whose address changes and ends it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import {
  type HttpMediaKind,
  httpMediaKinds,
  iceFragmentMediaType,
  type Network,
  problemStatus,
  problemTitle,
  problemType,
  sdpBytesMax,
  sdpMediaType,
} from '#contract';
import { remoteAddress } from '../addresses.ts';
import { createDoorstep } from '../doorstep.ts';
import { Refusal, type RefusalCounter } from '../refusals.ts';
import { fragmentBytesMax } from './fragment.ts';
import { type Rejection, rejection, rejectionOf } from './rejection.ts';
import type { Resource } from './resource.ts';
import type { Resources } from './resources.ts';

const preflightSeconds = 7_200;
/** No cookie of ours comes here: whoever may do something shows a ticket, or knows an address. */
const crossOrigin = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'location, etag, accept-post, accept-patch, allow, retry-after, www-authenticate',
};
const methodsOf = {
  endpoint: 'GET, HEAD, OPTIONS, POST',
  resource: 'GET, HEAD, OPTIONS, PATCH, DELETE',
} as const;

interface RoutesDeps {
  resources: Resources;
  forwarding: { header: string | undefined; proxies: readonly Network[] };
  refusals: RefusalCounter;
  log: Logger;
}

export interface WhipRoutes {
  /** Serves a request whose path is one of these; answers false for any other. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

export function createWhipRoutes(deps: RoutesDeps): WhipRoutes {
  const { resources } = deps;
  /** Those whose ticket was not looked at yet: of one line only so many at a time. */
  const doorstep = createDoorstep();

  async function make(kind: HttpMediaKind, request: IncomingMessage, response: ServerResponse) {
    requireType(request, sdpMediaType, 'accept-post');
    requireAccepted(request);
    const [, token] = /^Bearer (\S{1,4096})$/i.exec(request.headers.authorization ?? '') ?? [];
    if (!token) {
      throw rejection('unauthenticated', 'a ticket is needed', { 'www-authenticate': 'Bearer' });
    }
    const address = remoteAddress(request, deps.forwarding);
    const leave = doorstep.enter(address);
    if (!leave) throw rejection('rate-limited', 'too many at a time from there');
    try {
      const readOffer = () => {
        // The ticket was good: the place is free for the next one.
        leave();
        return readBody(request, sdpBytesMax);
      };
      const { resource, answer } = await resources.make(kind, token, readOffer, address);
      if (response.destroyed) {
        // Nobody was told of it.
        resource.end();
        return;
      }
      response.writeHead(201, {
        ...crossOrigin,
        'content-type': sdpMediaType,
        'cache-control': 'no-store',
        // Relative, because the node does not know under which address it was asked.
        location: `${kind}/${resource.id}`,
        etag: resource.etag,
        'accept-patch': iceFragmentMediaType,
      });
      response.end(answer);
    } finally {
      leave();
    }
  }

  async function change(resource: Resource, request: IncomingMessage, response: ServerResponse) {
    requireType(request, iceFragmentMediaType, 'accept-patch');
    const body = await readBody(request, fragmentBytesMax);
    const patched = await resource.patch(request.headers['if-match'], body);
    if (patched.status === 204) {
      response.writeHead(204, crossOrigin).end();
      return;
    }
    response.writeHead(200, {
      ...crossOrigin,
      'content-type': iceFragmentMediaType,
      'cache-control': 'no-store',
      etag: patched.etag,
    });
    response.end(patched.fragment);
  }

  async function route(
    { kind, id }: { kind: HttpMediaKind; id: string | null },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const allow = id === null ? methodsOf.endpoint : methodsOf.resource;
    if (request.method === 'OPTIONS') {
      answerOptions(allow, id === null, response);
      return;
    }
    const resource = id === null ? null : resources.find(kind, id);
    if (id !== null && !resource) throw rejection('not-found', 'there is no such connection');
    if (request.method === 'GET' || request.method === 'HEAD') {
      // They have nothing to show, and say so (RFC 9725, section 4.1).
      response.writeHead(204, { ...crossOrigin, 'cache-control': 'no-store' }).end();
    } else if (request.method === 'POST' && !resource) {
      await make(kind, request, response);
    } else if (request.method === 'PATCH' && resource) {
      await change(resource, request, response);
    } else if (request.method === 'DELETE' && resource) {
      resource.end();
      response.writeHead(200, { ...crossOrigin, 'content-length': '0' }).end();
    } else {
      throw rejection('method-not-allowed', `offered here: ${allow}`, { allow });
    }
  }

  return {
    async serve(request, response) {
      const place = placeOf(request.url ?? '');
      if (!place) return false;
      try {
        await route(place, request, response);
      } catch (error) {
        // Whoever has hung up while they were asking hears no answer.
        if (response.destroyed) return true;
        if (error instanceof Refusal) deps.refusals.count(error.code);
        const rejected = rejectionOf(error);
        if (!rejected) deps.log.error({ err: error, kind: place.kind }, 'a request failed');
        answerProblem(response, rejected ?? rejection('internal', 'something went wrong here'));
      }
      return true;
    },
  };
}

/** `/whip`, `/whep`, and the resources under them. */
function placeOf(url: string): { kind: HttpMediaKind; id: string | null } | null {
  const [path = ''] = url.split('?');
  const [, name, id] = /^\/([a-z]+)(?:\/([A-Za-z0-9_-]{1,64}))?$/.exec(path) ?? [];
  const kind = httpMediaKinds.find((one) => one === name);
  return kind ? { kind, id: id ?? null } : null;
}

function answerOptions(allow: string, isEndpoint: boolean, response: ServerResponse): void {
  response.writeHead(200, {
    ...crossOrigin,
    allow,
    ...(isEndpoint ? { 'accept-post': sdpMediaType } : { 'accept-patch': iceFragmentMediaType }),
    'access-control-allow-methods': allow,
    'access-control-allow-headers': 'authorization, content-type, if-match',
    'access-control-max-age': String(preflightSeconds),
    'content-length': '0',
  });
  response.end();
}

function requireType(request: IncomingMessage, type: string, header: string): void {
  const [named = ''] = (request.headers['content-type'] ?? '').split(';');
  if (named.trim().toLowerCase() !== type) {
    throw rejection('unsupported-media-type', `the body must be ${type}`, { [header]: type });
  }
}

/** Whether an answer in SDP is welcome. */
function requireAccepted(request: IncomingMessage): void {
  const accept = request.headers.accept ?? '*/*';
  const isAccepted = accept.split(',').some((range) => {
    const [type = '', ...parameters] = range
      .toLowerCase()
      .split(';')
      .map((part) => part.trim());
    const isFitting = ['*/*', 'application/*', sdpMediaType].includes(type);
    return isFitting && !parameters.some((one) => /^q=0(\.0*)?$/.test(one));
  });
  if (!isAccepted) throw rejection('not-acceptable', `answers are ${sdpMediaType}`);
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // What is too long is not read to its end: the connection closes with the answer.
  const tooLong = () =>
    rejection('body-too-large', `at most ${bytesMax} bytes`, { connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLong();
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answerProblem(response: ServerResponse, { code, message, headers }: Rejection): void {
  if (response.headersSent || response.destroyed) return;
  const status = problemStatus(code);
  const body = {
    type: problemType(code),
    code,
    title: problemTitle(code),
    status,
    detail: message,
  };
  response.writeHead(status, {
    ...crossOrigin,
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(JSON.stringify(body));
}
