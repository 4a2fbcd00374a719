// What the Neon stand-in reads from its environment.
import { z } from 'zod';
import { PortText, readLocalEnvironment } from '../environment.ts';

export interface NeonProxyConfig {
  port: number;
  databaseUrl: string;
  logLevel: string;
}

/** @throws StartRefused in production, and when variables are missing or wrong. */
export function readConfig(env: Record<string, string | undefined>): NeonProxyConfig {
  const parsed = readLocalEnvironment(
    'The local stand-in for Neon',
    {
      NEON_PROXY_PORT: PortText.default(54_321),
      DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
      LOG_LEVEL: z.string().default('info'),
    },
    env,
  );
  return {
    port: parsed.NEON_PROXY_PORT,
    databaseUrl: parsed.DATABASE_URL,
    logLevel: parsed.LOG_LEVEL,
  };
}
