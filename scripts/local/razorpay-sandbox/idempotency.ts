// Idempotency keys: the same key with the same body leads to what it made the first time.
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { GatewayRefusal } from './refusal.ts';

const keysMax = 50_000;

export const IdempotencyKey = z.object({
  key: z.string(),
  body: z.unknown(),
  entityId: z.string(),
  createdAt: z.int(),
});
export type IdempotencyKey = z.infer<typeof IdempotencyKey>;

export interface IdempotencyKeys {
  /**
   * The id of what this key made before; null when it is new.
   * @throws GatewayRefusal when it came with another body.
   */
  find(key: string, body: unknown): string | null;
  keep(key: string, body: unknown, entityId: string): void;
  all(): IdempotencyKey[];
}

/** A key is forgotten after `ttlSeconds`; null keeps it. */
export function createIdempotencyKeys(options: {
  keys: readonly IdempotencyKey[];
  ttlSeconds: number | null;
  nowSeconds: () => number;
}): IdempotencyKeys {
  const keys = new Map(options.keys.map((entry) => [entry.key, entry]));
  return {
    find(key, body) {
      const known = keys.get(key);
      if (!known) return null;
      const ageSeconds = options.nowSeconds() - known.createdAt;
      if (options.ttlSeconds !== null && ageSeconds > options.ttlSeconds) return null;
      if (isDeepStrictEqual(known.body, body)) return known.entityId;
      throw new GatewayRefusal(400, {
        description: 'Different request body sent for the same Idempotency Header',
      });
    },
    keep(key, body, entityId) {
      // Set anew, so that the oldest stays first.
      keys.delete(key);
      keys.set(key, { key, body, entityId, createdAt: options.nowSeconds() });
      const [oldest] = keys.keys();
      if (keys.size > keysMax && oldest !== undefined) keys.delete(oldest);
    },
    all: () => [...keys.values()],
  };
}
