// Asking the gateway over plain fetch: for what its package has no method, or no header, for.
import { z } from 'zod';
import { readAnswer, refusalOf, unavailable } from './gateway-answer.ts';

/** Where a gateway is, and who asks. */
export interface GatewayAccess {
  apiUrl: string;
  keyId: string;
  keySecret: string;
  /** An answer that has not come by then counts as none. */
  answerTimeoutMs: number;
}

interface GatewayRequest {
  method?: 'GET' | 'POST';
  /** Below `/v1`. */
  path: `/${string}`;
  query?: Record<string, string | number>;
  body?: object;
  headers?: Record<string, string>;
}

export interface GatewayHttp {
  /** The answer, read with `schema`. Throws GatewayRefusal or `gateway-unavailable`. */
  ask<T>(schema: z.ZodType<T>, request: GatewayRequest): Promise<T>;
}

const Refused = z.object({ error: z.unknown() }).catch({ error: undefined });

export function createGatewayHttp(access: GatewayAccess): GatewayHttp {
  const base = `${access.apiUrl.replace(/\/+$/, '')}/v1`;
  const authorization = `Basic ${btoa(`${access.keyId}:${access.keySecret}`)}`;

  async function send(request: GatewayRequest): Promise<{ status: number; json: unknown }> {
    const search = new URLSearchParams(
      Object.entries(request.query ?? {}).map(([name, value]) => [name, String(value)]),
    );
    try {
      const answer = await fetch(`${base}${request.path}${search.size > 0 ? `?${search}` : ''}`, {
        method: request.method ?? 'GET',
        headers: { ...request.headers, authorization, 'content-type': 'application/json' },
        ...(request.body ? { body: JSON.stringify(request.body) } : {}),
        // Followed, a POST would become a GET.
        redirect: 'manual',
        // Counts until the body is read.
        signal: AbortSignal.timeout(access.answerTimeoutMs),
      });
      return { status: answer.status, json: await answer.json() };
    } catch (error) {
      throw unavailable(error);
    }
  }

  return {
    async ask(schema, request) {
      const { status, json } = await send(request);
      if (status >= 200 && status <= 299) return readAnswer(schema, json);
      throw refusalOf(status, Refused.parse(json).error);
    },
  };
}
