// Fans for loads: viewers of a crowd who tip over HTTP, each with an access token of their own.
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { createSigner } from '../edge/services/signer.ts';
import type { Crowd } from './crowd.ts';

export interface TipAnswer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a load looks at whatever came
  body: any;
}

export interface Fans {
  /** One tip; the same key is the same tip. Rejects when no whole answer came. */
  tip(viewer: number, performer: number, key?: string, amountTokens?: number): Promise<TipAnswer>;
  close(): void;
}

/** Signs their tokens with the edge's own keys; they last for ten minutes. */
export async function createFans(options: {
  edgeUrl: string;
  signingKeys: string;
  crowd: Crowd;
  socketsMax: number;
}): Promise<Fans> {
  const { crowd } = options;
  const signer = await createSigner(options.signingKeys, () => new Date());
  const agent = new Agent({ keepAlive: true, maxSockets: options.socketsMax });
  const tokens = await Promise.all(
    crowd.viewerIds.map((userId, index) =>
      signer.accessToken({
        userId,
        username: `fan${index}`,
        role: 'viewer',
        sessionId: randomUUID(),
        revision: 0,
        secondFactorAt: null,
      }),
    ),
  );
  const address = new URL('/v1/tips', options.edgeUrl);
  return {
    tip: (viewer, performer, key = randomUUID(), amountTokens = 1) =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify({
          streamId: crowd.streamIds[performer],
          amountTokens,
          message: 'well played',
        });
        const sent = request(
          address,
          {
            method: 'POST',
            agent,
            headers: {
              authorization: `Bearer ${tokens[viewer]?.token}`,
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(body),
              'idempotency-key': key,
            },
          },
          (answer) => {
            const chunks: Buffer[] = [];
            answer.on('data', (chunk: Buffer) => chunks.push(chunk));
            answer.on('error', reject);
            answer.on('end', () => {
              try {
                const text = Buffer.concat(chunks).toString('utf8');
                resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) });
              } catch (error) {
                reject(error);
              }
            });
          },
        );
        sent.on('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}
