// Where media is heard on this machine when nobody says otherwise.
import { networkInterfaces } from 'node:os';

const loopback = '127.0.0.1';

/**
 * The loopback address first, and one more: Firefox offers no loopback address of its own and pairs none with any
 * other, so it reaches a node on the same machine by another address, or not at all.
 */
export function mediaAddresses(interfaces = networkInterfaces()): string {
  const own = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return own ? `${loopback},${own.address}` : loopback;
}
