// The address a request comes from: the proxy's header where one is trusted, else the socket's.
import type { Context } from 'hono';
import type { Config } from '../config.ts';
import type { AppEnv } from '../deps.ts';

export function clientAddress(config: Config, c: Context<AppEnv>): string {
  const header = config.CLIENT_ADDRESS_HEADER && c.req.header(config.CLIENT_ADDRESS_HEADER);
  return header || c.env.socketAddress;
}
