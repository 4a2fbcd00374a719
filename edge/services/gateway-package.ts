// The gateway's official package, asked with our time-out and answering in our errors.
import Razorpay from 'razorpay';
import { z } from 'zod';
import { readAnswer, refusalOf, unavailable } from './gateway-answer.ts';
import type { GatewayAccess } from './gateway-http.ts';

export interface GatewayPackage {
  /** The answer to one call, read with `schema`. Throws GatewayRefusal or `gateway-unavailable`. */
  ask<T>(schema: z.ZodType<T>, call: (razorpay: Razorpay) => Promise<unknown>): Promise<T>;
}

/** What of the package's HTTP client is set here: it has no options for these. */
interface HttpDefaults {
  baseURL: string;
  timeout: number;
  adapter: string;
}

/** The package throws `{ statusCode, error }` for an answer, and a TypeError when none came. */
const Thrown = z.object({ statusCode: z.int(), error: z.unknown() });

export function createGatewayPackage(access: GatewayAccess): GatewayPackage {
  const razorpay = new Razorpay({ key_id: access.keyId, key_secret: access.keySecret });
  const { defaults } = (razorpay as unknown as { api: { rq: { defaults: HttpDefaults } } }).api.rq;
  defaults.baseURL = access.apiUrl;
  defaults.timeout = access.answerTimeoutMs;
  // The same client on every runtime: Workers have fetch and no sockets.
  defaults.adapter = 'fetch';

  async function answer(call: (razorpay: Razorpay) => Promise<unknown>): Promise<unknown> {
    try {
      return await call(razorpay);
    } catch (error) {
      const thrown = Thrown.safeParse(error);
      if (thrown.success) throw refusalOf(thrown.data.statusCode, thrown.data.error);
      throw unavailable(error);
    }
  }

  return { ask: async (schema, call) => readAnswer(schema, await answer(call)) };
}
