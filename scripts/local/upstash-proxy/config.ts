// What the Upstash stand-in reads from its environment.
import { z } from 'zod';
import { PortText, readLocalEnvironment } from '../environment.ts';

export interface UpstashProxyConfig {
  port: number;
  redisUrl: string;
  token: string;
  logLevel: string;
}

/** @throws StartRefused in production, and when variables are missing or wrong. */
export function readConfig(env: Record<string, string | undefined>): UpstashProxyConfig {
  const parsed = readLocalEnvironment(
    'The local stand-in for Upstash',
    {
      UPSTASH_PROXY_PORT: PortText.default(63_791),
      REDIS_URL: z.url({ protocol: /^rediss?$/ }),
      UPSTASH_REDIS_REST_TOKEN: z.string().min(16),
      LOG_LEVEL: z.string().default('info'),
    },
    env,
  );
  return {
    port: parsed.UPSTASH_PROXY_PORT,
    redisUrl: parsed.REDIS_URL,
    token: parsed.UPSTASH_REDIS_REST_TOKEN,
    logLevel: parsed.LOG_LEVEL,
  };
}
