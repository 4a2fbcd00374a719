// A stand-in for the edge in tests: signs tickets, publishes its key, and hands out transcode jobs.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  hlsTicketTtlSeconds,
  type Id,
  type Revocation,
  revocationsPageMax,
  TranscoderReport,
  type TranscoderReportAnswer,
  ticketAlgorithm,
  ticketIssuer,
  ticketTypes,
} from '#contract';

export interface TicketWishes {
  audience?: string;
  issuer?: string;
  expiresInSeconds?: number;
  /** Signed by a key that the edge never published. */
  foreignKey?: boolean;
  /** What the header says that it is. */
  type?: string;
  subject?: string;
  sessionId?: string | null;
  /** The number of the last revocation that is known; by default the last one there is. */
  rev?: number;
}

export interface FakeEdge {
  readonly url: string;
  readonly reports: TranscoderReport[];
  /** The stream that transcoders shall serve, from this SFU; null stops it. */
  assign(streamId: Id, sfuUrl: string | null): void;
  /** No answers, as if it were down. */
  setAway(away: boolean): void;
  ticket(streamId: Id, wishes?: TicketWishes): Promise<string>;
  /** Ends something: answers to reports tell it. Whether Redis does is the test's to say. */
  revoke(what: Omit<Revocation, 'number'>): Revocation;
  /** From now on another key signs, and the one before is not published any longer. */
  changeKey(): Promise<void>;
  close(): Promise<void>;
}

export const nodeSecret = 'a secret that only this test knows!!';

/** Where numbers of revocations begin: other tests may talk of lower ones on the same Redis. */
const firstNumber = 1_000_000;

async function createKey(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair(ticketAlgorithm);
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' } };
}

export async function startFakeEdge(): Promise<FakeEdge> {
  let key = await createKey('key-1');
  const foreign = await createKey('key-1');
  const revocations: Revocation[] = [];
  const last = () => firstNumber + revocations.length;
  const reports: TranscoderReport[] = [];
  const streams = new Map<Id, string | null>();
  let away = false;

  function answerTo(report: TranscoderReport): TranscoderReportAnswer {
    const from = report.revocationsKnown ?? firstNumber;
    const missed = revocations.filter(({ number }) => number > from).slice(0, revocationsPageMax);
    const answer: TranscoderReportAnswer = {
      start: [],
      stop: [],
      revocations: missed,
      revocationsKnown: missed.at(-1)?.number ?? from,
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
      reply(200, { keys: [key.jwk] });
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
      const { privateKey, kid } = wishes.foreignKey ? foreign : key;
      const { sessionId = null, rev = last() } = wishes;
      return new SignJWT({ stream: streamId, sid: sessionId, rev })
        .setProtectedHeader({ alg: ticketAlgorithm, kid, typ: wishes.type ?? ticketTypes.hls })
        .setIssuer(wishes.issuer ?? ticketIssuer)
        .setAudience(wishes.audience ?? 'hls')
        .setSubject(wishes.subject ?? 'viewer-1')
        .setJti(crypto.randomUUID())
        .setIssuedAt(issued)
        .setExpirationTime(issued + (wishes.expiresInSeconds ?? hlsTicketTtlSeconds))
        .sign(privateKey);
    },
    revoke(what) {
      const revocation = { ...what, number: last() + 1 };
      revocations.push(revocation);
      return revocation;
    },
    async changeKey() {
      key = await createKey(`${key.kid}'`);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
