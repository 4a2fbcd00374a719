// The edge as the tests need it: a key set, tickets signed with it, and a place to report to.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  type Capability,
  SfuReport,
  type SfuReportAnswer,
  ticketAlgorithm,
  ticketIssuer,
} from '#contract';

export const testNodeSecret = 'a-secret-for-tests-only-0123456789abcdef';
/** What a request for the figures of a node must carry. */
export const withSecret = { headers: { authorization: `Bearer ${testNodeSecret}` } };

export interface TicketWish {
  aud?: 'room' | 'node' | 'hls';
  sub?: string;
  stream: string;
  node?: string;
  capabilities?: Capability[];
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
  /** True makes every report fail. */
  broken: boolean;
  /** How far its clock is ahead of the node's. */
  clockAheadSeconds: number;
  ticket(wish: TicketWish): Promise<string>;
  /** The first report, from now on or from before, that `fits`. */
  report(fits: (report: SfuReport) => boolean): Promise<SfuReport>;
  close(): Promise<void>;
}

export async function startTestEdge(): Promise<TestEdge> {
  const { publicKey, privateKey } = await generateKeyPair(ticketAlgorithm, {
    crv: 'Ed25519',
    extractable: true,
  });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: ticketAlgorithm }] };
  const waiting = new Set<() => void>();

  const server = createServer((request, response) => {
    if (request.url === '/.well-known/jwks.json') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks));
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
      edge.reports.push(SfuReport.parse(JSON.parse(body)));
      for (const check of waiting) check();
      const answer: SfuReportAnswer = {
        close: [...edge.over],
        revocations: [],
        revocationsKnown: 0,
      };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const edge: TestEdge = {
    url: `http://127.0.0.1:${address.port}`,
    reports: [],
    over: new Set(),
    broken: false,
    clockAheadSeconds: 0,
    ticket(wish) {
      const nowSeconds = Math.floor(Date.now() / 1000);
      const { aud = 'room', sub = randomUUID(), node = 'sfu-test', stream } = wish;
      const room = {
        sid: null,
        rev: 0,
        name: 'Somebody',
        role: 'viewer',
        capabilities: wish.capabilities ?? [],
      };
      return new SignJWT({ stream, node, ...(aud === 'room' ? room : {}) })
        .setProtectedHeader({ alg: ticketAlgorithm, kid: 'k1' })
        .setIssuer(wish.issuer ?? ticketIssuer)
        .setAudience(aud)
        .setSubject(sub)
        .setJti(wish.jti ?? randomUUID())
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + (wish.ttlSeconds ?? 60))
        .sign(wish.key ?? privateKey);
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
