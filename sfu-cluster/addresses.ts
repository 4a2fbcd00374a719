// Addresses: where a socket comes from, and which name this machine or one host.
import type { IncomingMessage } from 'node:http';
import {
  isLoopback,
  isWithin,
  type Network,
  parseAddress,
  parseNetwork,
  senderOf,
} from '#contract';

/** Networks that no stranger comes from: what arrives from there is ours, or a proxy of ours. */
const internal = networksOf([
  '127.0.0.0/8',
  '::1',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
]);

/** Addresses and networks (`10.0.0.0/8`); throws on what is neither. */
export function networksOf(entries: readonly string[]): Network[] {
  return entries.map((entry) => {
    const network = parseNetwork(entry);
    if (!network) throw new Error(`${entry}: neither an address nor a network`);
    return network;
  });
}

export function isInternal(address: string): boolean {
  return isWithin(internal, address);
}

/** Whether both name the same machine; all loopback addresses do. */
export function isSameHost(one: string, other: string): boolean {
  if (isLoopback(one) && isLoopback(other)) return true;
  const bits = parseAddress(one);
  return bits !== null && bits === parseAddress(other);
}

/** The address that a request comes from: the socket's, or what a proxy of ours names in its header. */
export function remoteAddress(
  request: IncomingMessage,
  { header, proxies }: { header: string | undefined; proxies: readonly Network[] },
): string {
  const named = header && request.headersDistinct[header.toLowerCase()]?.join(',');
  return senderOf(request.socket.remoteAddress ?? '', named, proxies);
}
