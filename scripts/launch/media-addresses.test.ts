import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { mediaAddresses } from './media-addresses.ts';

const address = (family: 'IPv4' | 'IPv6', text: string, internal = false): NetworkInterfaceInfo => {
  const common = { address: text, netmask: '', mac: '', internal, cidr: null };
  return family === 'IPv4' ? { ...common, family } : { ...common, family, scopeid: 0 };
};

test('media is heard on the loopback address and on the first other one of this machine', () => {
  const lo = [address('IPv4', '127.0.0.1', true), address('IPv6', '::1', true)];
  const eth0 = [address('IPv6', 'fe80::1'), address('IPv4', '192.0.2.7')];
  const eth1 = [address('IPv4', '198.51.100.7')];
  expect(mediaAddresses({ lo, eth0, eth1 })).toBe('127.0.0.1,192.0.2.7');
  expect(mediaAddresses({ lo })).toBe('127.0.0.1');
});
