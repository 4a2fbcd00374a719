// Socket addresses as C programs hold them (struct sockaddr_in and sockaddr_in6).
import { isIPv6 } from 'node:net';
import { endianness } from 'node:os';
import { assert, parseAddress } from '#contract';

export const socketAddressBytesMax = 128;
const isBsd = process.platform === 'darwin' || process.platform === 'freebsd';
const familyV4 = 2;
const familyV6 = process.platform === 'darwin' ? 30 : process.platform === 'freebsd' ? 28 : 10;

export function socketAddress(ip: string, port: number): Buffer {
  const bits = parseAddress(ip);
  assert(bits !== null, 'an IP address is needed');
  const isV6 = isIPv6(ip);
  const address = Buffer.alloc(isV6 ? 28 : 16);
  const family = isV6 ? familyV6 : familyV4;
  if (isBsd) address.set([address.length, family]);
  else if (endianness() === 'LE') address.writeUInt16LE(family);
  else address.writeUInt16BE(family);
  address.writeUInt16BE(port, 2);
  if (isV6) Buffer.from(bits.toString(16).padStart(32, '0'), 'hex').copy(address, 8);
  else address.writeUInt32BE(Number(bits & 0xffff_ffffn), 4);
  return address;
}

export const portOf = (address: Buffer): number => address.readUInt16BE(2);

export function ipOf(address: Buffer): string {
  const family = isBsd || endianness() === 'BE' ? address[1] : address[0];
  if (family !== familyV6) return address.subarray(4, 8).join('.');
  const groups = Array.from({ length: 8 }, (_, n) => address.readUInt16BE(8 + 2 * n).toString(16));
  return groups.join(':');
}
