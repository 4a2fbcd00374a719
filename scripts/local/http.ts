// What the local HTTP servers share: bounded bodies, JSON answers, health, and a close that does not hang.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { z } from 'zod';
import { assert, type Health } from '#contract';

/** Idle connections are kept longer than any client keeps them, so that none is cut in mid-request. */
const keepAliveTimeoutMs = 75_000;

/** The body was longer than the server takes. */
export class BodyTooLarge extends Error {}

/** Reads a whole body of at most `bytesMax`. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new BodyTooLarge(`more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Answers `/healthz` and `/readyz`; false when the request is for something else. */
export async function answerHealth(
  request: IncomingMessage,
  response: ServerResponse,
  service: string,
  probes: Record<string, () => Promise<void>>,
): Promise<boolean> {
  if (request.method !== 'GET' || (request.url !== '/healthz' && request.url !== '/readyz')) {
    return false;
  }
  const health: z.infer<typeof Health> = { ok: true, service, checks: {} };
  if (request.url === '/readyz') {
    await Promise.all(
      Object.entries(probes).map(async ([name, probe]) => {
        try {
          await probe();
          health.checks[name] = { ok: true };
        } catch (error) {
          health.ok = false;
          const detail = error instanceof Error ? error.message : String(error);
          health.checks[name] = { ok: false, detail };
        }
      }),
    );
  }
  sendJson(response, health.ok ? 200 : 503, health);
  return true;
}

export interface ListeningServer {
  server: Server;
  port: number;
  close(): Promise<void>;
}

/** Listens on the loopback address only; port 0 takes any free one. */
export async function listenLocally(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  port: number,
): Promise<ListeningServer> {
  const server = createServer({ keepAliveTimeout: keepAliveTimeoutMs }, handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  const address = server.address();
  assert(typeof address === 'object' && address !== null, 'a listening server has a port');
  let closed: Promise<void> | null = null;
  return {
    server,
    port: address.port,
    close() {
      closed ??= new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}
