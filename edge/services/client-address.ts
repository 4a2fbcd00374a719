// The address a request comes from: the socket's, or the one that a proxy of ours names in its header.
import type { Context } from 'hono';
import { senderOf } from '#contract';
import type { Config } from '../config.ts';
import type { AppEnv } from '../deps.ts';

export function clientAddress(config: Config, c: Context<AppEnv>): string {
  const { CLIENT_ADDRESS_HEADER: header, TRUSTED_PROXIES: proxies } = config;
  return senderOf(c.env.socketAddress, header && c.req.header(header), proxies);
}
