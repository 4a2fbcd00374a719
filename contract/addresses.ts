// IP addresses (RFC 4291): which network holds them, which line they are of, and whose a request is behind proxies.

/** Addresses that begin alike, within the 128 bits of IPv6. */
export interface Network {
  first: bigint;
  prefix: number;
}

const addressBits = 128;
const octet = /^(0|[1-9]\d{0,2})$/;
const group = /^[0-9a-f]{1,4}$/i;
/** IPv4 within IPv6 (RFC 4291, 2.5.5.2). */
const mapped: Network = { first: 0xffff_0000_0000n, prefix: 96 };
const loopback: readonly Network[] = [
  { first: mapped.first + (127n << 24n), prefix: mapped.prefix + 8 },
  { first: 1n, prefix: addressBits },
];

/** The 128 bits of an address; an IPv4 one as the IPv6 one that maps it. Null for what is no address. */
export function parseAddress(text: string): bigint | null {
  const v4 = parseV4(text);
  return v4 === null ? parseV6(text) : mapped.first + v4;
}

/** Reads `203.0.113.9`, `10.0.0.0/8`, `2001:db8::/32`; null for what is neither address nor network (RFC 4632). */
export function parseNetwork(text: string): Network | null {
  const [address = '', length, ...more] = text.split('/');
  const first = parseAddress(address);
  if (first === null || more.length > 0) return null;
  if (length === undefined) return { first, prefix: addressBits };
  const before = parseV4(address) === null ? 0 : mapped.prefix;
  if (!octet.test(length) || Number(length) > addressBits - before) return null;
  return { first, prefix: before + Number(length) };
}

/** Whether one of the networks holds the address. False for what is no address. */
export function isWithin(networks: readonly Network[], address: string): boolean {
  const bits = parseAddress(address);
  return bits !== null && networks.some((network) => holds(network, bits));
}

/** Whether it is this very machine. */
export function isLoopback(address: string): boolean {
  return isWithin(loopback, address);
}

/** What one subscriber line has: an IPv4 address, or the first 64 bits of an IPv6 one. */
export function lineOf(address: string): string {
  const bits = parseAddress(address);
  if (bits === null) return address;
  if (holds(mapped, bits)) return dotted(bits);
  return [112n, 96n, 80n, 64n].map((shift) => ((bits >> shift) & 0xffffn).toString(16)).join(':');
}

/**
 * Whose a request is: the socket's address; where that is a proxy of ours, the last one that it names in its header,
 * and so on for as long as those are proxies of ours. What stands before that the sender may have made up.
 */
export function senderOf(
  socketAddress: string,
  forwarded: string | null | undefined,
  proxies: readonly Network[],
): string {
  let sender = plain(socketAddress);
  const named = forwarded ? forwarded.split(',') : [];
  while (named.length > 0 && isWithin(proxies, sender)) {
    const next = withoutPort((named.pop() ?? '').trim());
    if (parseAddress(next) === null) break;
    sender = plain(next);
  }
  return sender;
}

function holds({ first, prefix }: Network, bits: bigint): boolean {
  const shift = BigInt(addressBits - prefix);
  return bits >> shift === first >> shift;
}

/** An IPv4 address that comes as an IPv6 one is the IPv4 address. */
function plain(address: string): string {
  const bits = parseAddress(address);
  return bits !== null && holds(mapped, bits) ? dotted(bits) : address.toLowerCase();
}

function dotted(bits: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.');
}

/** Some proxies write `203.0.113.9:4711` and `[2001:db8::1]:4711`. */
function withoutPort(text: string): string {
  return text.replace(/^\[(.+)\](?::\d+)?$/, '$1').replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1');
}

function parseV4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => octet.test(part) && Number(part) < 256)) {
    return null;
  }
  return parts.reduce((bits, part) => bits * 256n + BigInt(part), 0n);
}

function parseV6(text: string): bigint | null {
  const halves = withGroupsOnly(text)?.split('::') ?? [];
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  const isWhole = halves.length === 2 ? missing > 0 : halves.length === 1 && missing === 0;
  if (!isWhole || ![...head, ...tail].every((part) => group.test(part))) return null;
  return [...head, ...Array<string>(missing).fill('0'), ...tail].reduce(
    (bits, part) => bits * 65_536n + BigInt(`0x${part}`),
    0n,
  );
}

/** With an IPv4 address at its end (RFC 4291, 2.2.3) written as two groups; null where that is none. */
function withGroupsOnly(text: string): string | null {
  const end = text.lastIndexOf(':') + 1;
  if (!text.includes('.')) return text;
  const v4 = parseV4(text.slice(end));
  if (v4 === null) return null;
  return `${text.slice(0, end)}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
}
