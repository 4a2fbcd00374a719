// A stand-in for the edge in tests: signs tickets, publishes its key, and hands out transcode jobs.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  hlsTicketTtlSeconds,
  type Id,
  TranscoderReport,
  type TranscoderReportAnswer,
  ticketAlgorithm,
  ticketIssuer,
} from '#contract';

export interface TicketWishes {
  audience?: string;
  issuer?: string;
  expiresInSeconds?: number;
  /** Signed by a key that the edge never published. */
  foreignKey?: boolean;
}

export interface FakeEdge {
  readonly url: string;
  readonly reports: TranscoderReport[];
  /** The stream that transcoders shall serve, from this SFU; null stops it. */
  assign(streamId: Id, sfuUrl: string | null): void;
  /** No answers, as if it were down. */
  setAway(away: boolean): void;
  ticket(streamId: Id, wishes?: TicketWishes): Promise<string>;
  close(): Promise<void>;
}

export const nodeSecret = 'a secret that only this test knows!!';

export async function startFakeEdge(): Promise<FakeEdge> {
  const keys = await generateKeyPair(ticketAlgorithm);
  const foreign = await generateKeyPair(ticketAlgorithm);
  const jwk = {
    ...(await exportJWK(keys.publicKey)),
    kid: 'key-1',
    alg: ticketAlgorithm,
    use: 'sig',
  };
  const reports: TranscoderReport[] = [];
  const streams = new Map<Id, string | null>();
  let away = false;

  function answerTo(report: TranscoderReport): TranscoderReportAnswer {
    const answer: TranscoderReportAnswer = {
      start: [],
      stop: [],
      revocations: [],
      revocationsKnown: 0,
    };
    for (const [streamId, sfuUrl] of streams) {
      const job = report.jobs.find((each) => each.streamId === streamId);
      if (sfuUrl === null) {
        if (job) answer.stop.push(streamId);
        continue;
      }
      const ticket = !job || job.needsTicket ? `node-ticket-${crypto.randomUUID()}` : undefined;
      answer.start.push({ streamId, sfuUrl, ...(ticket ? { ticket } : {}) });
    }
    return answer;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (away) {
      request.socket.destroy();
      return;
    }
    const reply = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.url === '/.well-known/jwks.json') {
      reply(200, { keys: [jwk] });
      return;
    }
    let text = '';
    for await (const chunk of request) text += String(chunk);
    if (request.headers.authorization !== `Bearer ${nodeSecret}`) {
      reply(401, {});
      return;
    }
    const report = TranscoderReport.parse(JSON.parse(text));
    reports.push(report);
    reply(200, answerTo(report));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    reports,
    assign: (streamId, sfuUrl) => streams.set(streamId, sfuUrl),
    setAway(next) {
      away = next;
    },
    async ticket(streamId, wishes = {}) {
      const issued = Math.floor(Date.now() / 1_000);
      const { privateKey } = wishes.foreignKey ? foreign : keys;
      return new SignJWT({ stream: streamId, sid: null, rev: 0 })
        .setProtectedHeader({ alg: ticketAlgorithm, kid: 'key-1' })
        .setIssuer(wishes.issuer ?? ticketIssuer)
        .setAudience(wishes.audience ?? 'hls')
        .setSubject('viewer-1')
        .setJti(crypto.randomUUID())
        .setIssuedAt(issued)
        .setExpirationTime(issued + (wishes.expiresInSeconds ?? hlsTicketTtlSeconds))
        .sign(privateKey);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
