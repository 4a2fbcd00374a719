// Addresses: where a socket comes from, and how IP addresses compare.
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

const loopback = addressList(['127.0.0.0/8', '::1']);
/** Networks that no stranger comes from: what arrives from there is ours, or a proxy of ours. */
const internal = addressList([
  '127.0.0.0/8',
  '::1',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
]);

/** A list of addresses and networks (`10.0.0.0/8`); throws on what is neither. */
export function addressList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = familyOf(address);
    if (!family) throw new Error(`${entry}: neither an address nor a network`);
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number.parseInt(prefix, 10), family);
  }
  return list;
}

export function isListed(list: BlockList, address: string): boolean {
  const family = familyOf(address);
  return family !== null && list.check(address, family);
}

export function isInternal(address: string): boolean {
  return isListed(internal, address);
}

/** Whether both name the same machine; all loopback addresses do. */
export function isSameHost(one: string, other: string): boolean {
  if (isListed(loopback, one) && isListed(loopback, other)) return true;
  return isIP(one) !== 0 && isListed(addressList([one]), other);
}

/** What one subscriber line has: an IPv4 address, or the first 64 bits of an IPv6 one. */
export function lineOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const after = tail?.split(':').filter(Boolean) ?? [];
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  const full = [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after];
  return full
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/**
 * The address that a request comes from. With a proxy in front it is the last one in the header
 * that the proxy writes: whatever stands before that, the sender may have made up.
 */
export function remoteAddress(request: IncomingMessage, header: string | undefined): string {
  const named = header === undefined ? undefined : request.headers[header.toLowerCase()];
  const last = (Array.isArray(named) ? named.at(-1) : named)?.split(',').at(-1)?.trim() ?? '';
  return plain(isIP(last) ? last : (request.socket.remoteAddress ?? ''));
}

/** An IPv4 address that comes as an IPv6 one is the IPv4 address. */
function plain(address: string): string {
  const mapped = address.replace(/^::ffff:/i, '');
  return isIP(mapped) === 4 ? mapped : address;
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? 'ipv4' : 'ipv6';
}
