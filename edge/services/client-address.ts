// The address a request comes from: the socket's, or the one that a proxy of ours names in its header.
import type { Context } from 'hono';
import { CountryCode, isWithin, senderOf } from '#contract';
import type { Config } from '../config.ts';
import type { AppEnv } from '../deps.ts';

export function clientAddress(config: Config, c: Context<AppEnv>): string {
  const { CLIENT_ADDRESS_HEADER: header, TRUSTED_PROXIES: proxies } = config;
  return senderOf(c.env.socketAddress, header && c.req.header(header), proxies);
}

/** The country that the platform, or a proxy of ours, says the request comes from; null where none says it. */
export function clientCountry(config: Config, c: Context<AppEnv>): string | null {
  const { CLIENT_COUNTRY_HEADER: header, TRUSTED_PROXIES: proxies } = config;
  const isProxied = header !== undefined && isWithin(proxies, c.env.socketAddress);
  const said = CountryCode.safeParse(isProxied ? c.req.header(header) : c.env.country);
  return said.success ? said.data : null;
}
