// The edge as the tests need it: a key set, tickets signed with it, revocations, and a place to report to.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  type Capability,
  type MediaHold,
  type NodeTicket,
  type PullAnswer,
  PullBody,
  type Revocation,
  revocationsPageMax,
  SfuReport,
  type SfuReportAnswer,
  ticketAlgorithm,
  ticketIssuer,
  ticketTypes,
} from '#contract';

export const testNodeSecret = 'a-secret-for-tests-only-0123456789abcdef';
/** What a request for the figures of a node must carry. */
export const withSecret = { headers: { authorization: `Bearer ${testNodeSecret}` } };

export interface TicketWish {
  aud?: 'room' | 'node' | 'hls';
  /** What its header says that it is; left out: what its audience wants. */
  typ?: string;
  sub?: string;
  sid?: string;
  stream: string;
  node?: string;
  capabilities?: Capability[];
  held?: MediaHold;
  use?: NodeTicket['use'];
  jti?: string;
  ttlSeconds?: number;
  key?: CryptoKey;
  issuer?: string;
}

export interface TestEdge {
  url: string;
  reports: SfuReport[];
  /** Streams that the next answers name as over. */
  over: Set<string>;
  /** How many watch a stream, as the next answers tell. */
  audiences: Map<string, number>;
  /** The node on which a stream is published, and what asked for it. */
  origins: Map<string, { nodeId: string; url: string }>;
  /** By node: from where it has to bring streams, the first that it has not tried in vain; else where they are published. */
  relays: Map<string, { nodeId: string; url: string }[]>;
  /** True makes every question for that fail. */
  pullsFail: boolean;
  pulls: PullBody[];
  /** True makes every report fail. */
  broken: boolean;
  /** How far its clock is ahead of the node's. */
  clockAheadSeconds: number;
  /** All that it has revoked, oldest first; its reports tell them, and its tickets carry the last one's number. */
  revocations: Revocation[];
  revoke(what: Partial<Revocation> & Pick<Revocation, 'kind'>): Revocation;
  /** Signs with a new key from now on; the one before is no key any more. */
  changeKey(): Promise<void>;
  ticket(wish: TicketWish): Promise<string>;
  /** The first report, from now on or from before, that `fits`. */
  report(fits: (report: SfuReport) => boolean): Promise<SfuReport>;
  close(): Promise<void>;
}

async function newKey() {
  const { publicKey, privateKey } = await generateKeyPair(ticketAlgorithm, {
    crv: 'Ed25519',
    extractable: true,
  });
  const jwk = { ...(await exportJWK(publicKey)), kid: randomUUID(), alg: ticketAlgorithm };
  return { privateKey, jwk };
}

export async function startTestEdge(): Promise<TestEdge> {
  let signing = await newKey();
  const waiting = new Set<() => void>();

  const server = createServer((request, response) => {
    if (request.url === '/.well-known/jwks.json') {
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ keys: [signing.jwk] }));
      return;
    }
    if (request.url === '/internal/nodes/pull' && edge.pullsFail) {
      response.writeHead(500).end();
      return;
    }
    if (request.url === '/internal/nodes/pull') {
      request.setEncoding('utf8').once('data', (chunk: string) => {
        void answerPull(PullBody.parse(JSON.parse(chunk))).then((answer) =>
          response.setHeader('content-type', 'application/json').end(JSON.stringify(answer)),
        );
      });
      return;
    }
    const authorised = request.headers.authorization === `Bearer ${testNodeSecret}`;
    if (request.url !== '/internal/nodes/report' || request.method !== 'POST' || !authorised) {
      response.writeHead(authorised ? 404 : 401).end();
      return;
    }
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const now = new Date(Date.now() + edge.clockAheadSeconds * 1000);
      response.setHeader('date', now.toUTCString());
      if (edge.broken) {
        response.writeHead(500).end();
        return;
      }
      const report = SfuReport.parse(JSON.parse(body));
      edge.reports.push(report);
      for (const check of waiting) check();
      const known = report.revocationsKnown ?? 0;
      const revocations = edge.revocations
        .filter(({ number }) => number > known)
        .slice(0, revocationsPageMax);
      const answer: SfuReportAnswer = {
        close: [...edge.over],
        audiences: [...edge.audiences].map(([streamId, viewers]) => ({ streamId, viewers })),
        revocations,
        revocationsKnown: revocations.at(-1)?.number ?? known,
      };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  });
  async function answerPull(asked: PullBody): Promise<PullAnswer> {
    edge.pulls.push(asked);
    const { nodeId, streamId } = asked;
    const published = edge.origins.get(streamId);
    if (!published || published.nodeId === nodeId) return { from: null };
    const relays = edge.relays.get(nodeId) ?? [];
    const origin = relays.find((relay) => relay.nodeId !== asked.unreachable) ?? published;
    const ticket = await edge.ticket({
      aud: 'node',
      use: 'pipe',
      sub: nodeId,
      stream: streamId,
      node: origin.nodeId,
    });
    return { from: { nodeId: origin.nodeId, url: origin.url, ticket } };
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const edge: TestEdge = {
    url: `http://127.0.0.1:${address.port}`,
    reports: [],
    over: new Set(),
    audiences: new Map(),
    origins: new Map(),
    relays: new Map(),
    pullsFail: false,
    pulls: [],
    broken: false,
    clockAheadSeconds: 0,
    revocations: [],
    revoke(what) {
      const number = edge.revocations.length + 1;
      const revocation = { subject: null, streamId: null, ...what, number };
      edge.revocations.push(revocation);
      return revocation;
    },
    async changeKey() {
      signing = await newKey();
    },
    ticket(wish) {
      const nowSeconds = Math.floor(Date.now() / 1000);
      const { aud = 'room', sub = randomUUID(), node = 'sfu-test', stream } = wish;
      const { kid } = signing.jwk;
      const room = {
        sid: wish.sid ?? null,
        rev: edge.revocations.length,
        name: 'Somebody',
        role: 'viewer',
        capabilities: wish.capabilities ?? [],
        ...(wish.held ? { held: wish.held } : {}),
      };
      return new SignJWT({ stream, node, ...(aud === 'room' ? room : { use: wish.use ?? 'tap' }) })
        .setProtectedHeader({ alg: ticketAlgorithm, kid, typ: wish.typ ?? ticketTypes[aud] })
        .setIssuer(wish.issuer ?? ticketIssuer)
        .setAudience(aud)
        .setSubject(sub)
        .setJti(wish.jti ?? randomUUID())
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + (wish.ttlSeconds ?? 60))
        .sign(wish.key ?? signing.privateKey);
    },
    report(fits) {
      return new Promise((resolve) => {
        const check = () => {
          const found = edge.reports.find(fits);
          if (!found) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      });
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return edge;
}
