// The faults of the REST API's answers: late, cut off, an error instead, or none at all.
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { MiddlewareHandler } from 'hono';
import type { FaultSwitch } from './faults.ts';
import { GatewayRefusal } from './refusal.ts';
import type { SandboxEnv } from './request.ts';

const errorWords = {
  409: ['BAD_REQUEST_ERROR', 'Request failed because another operation is in progress'],
  429: ['BAD_REQUEST_ERROR', 'Too many requests'],
  500: [
    'SERVER_ERROR',
    'We are facing some trouble completing your request at the moment. Please try again shortly.',
  ],
  502: [
    'GATEWAY_ERROR',
    'The request could not be completed due to an error at the payment gateway',
  ],
  503: ['SERVER_ERROR', 'The service is temporarily unavailable. Please try again shortly.'],
  504: ['GATEWAY_ERROR', 'The gateway request timed out'],
} as const;

/** Commits the faults that are switched on, before or after the request is carried out. */
export function answerFaults(faults: FaultSwitch): MiddlewareHandler<SandboxEnv> {
  return async (c, next) => {
    const { delayMs: everyDelayMs, cutRate } = faults.current.answers;
    const { outgoing } = c.env;
    const isCut = faults.chance() < cutRate;
    const rule = faults.answerRule(c.req.method, c.req.path);
    const delayMs = everyDelayMs + (rule?.delayMs ?? 0);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (rule?.fault === 'error-before') throw refusalOf(rule.status);
    if (rule?.fault === 'cut-before') {
      outgoing.destroy();
      c.res = c.body(null);
      return;
    }
    await next();
    if (rule?.fault === 'error-after') {
      // Hono keeps the headers of an answer that is replaced; this one starts anew.
      c.res = undefined;
      const refusal = refusalOf(rule.status);
      c.res = c.json(refusal.body, refusal.status);
    }
    if (rule?.fault === 'hang') await gone(outgoing);
    if (isCut || rule?.fault === 'cut-after') outgoing.destroy();
  };
}

function refusalOf(status: keyof typeof errorWords): GatewayRefusal {
  const [code, description] = errorWords[status];
  return new GatewayRefusal(status, { code, description });
}

/** Resolves when the client gives up. */
function gone(outgoing: ServerResponse | Http2ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.closed) resolve();
    else outgoing.once('close', () => resolve());
  });
}
