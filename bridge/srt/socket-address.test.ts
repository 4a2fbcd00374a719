// Socket addresses: written for C and read back.
import { expect, test } from 'vitest';
import { ipOf, portOf, socketAddress } from './socket-address.ts';

test.each([
  ['203.0.113.9', 9_000, '203.0.113.9'],
  ['2001:db8::1', 443, '2001:db8:0:0:0:0:0:1'],
])('%s port %i', (ip, port, read) => {
  const address = socketAddress(ip, port);
  expect([ipOf(address), portOf(address)]).toEqual([read, port]);
});
