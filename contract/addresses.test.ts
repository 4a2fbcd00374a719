// Tests of addresses: what is one, which network holds it, which line it is of, and who is believed behind proxies.
import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isWithin,
  lineOf,
  type Network,
  parseAddress,
  parseNetwork,
  senderOf,
} from './addresses.ts';

function networks(...entries: string[]): Network[] {
  return entries.map((entry) => {
    const network = parseNetwork(entry);
    if (!network) throw new Error(entry);
    return network;
  });
}

describe('addresses', () => {
  test.each([
    ['0.0.0.0', 0xffff_0000_0000n],
    ['203.0.113.9', 0xffff_cb00_7109n],
    ['::', 0n],
    ['::1', 1n],
    ['1::', 1n << 112n],
    ['2001:DB8::1', 0x2001_0db8_0000_0000_0000_0000_0000_0001n],
    ['1:2:3:4:5:6:7:8', 0x0001_0002_0003_0004_0005_0006_0007_0008n],
    ['1:2:3:4:5:6:7::', 0x0001_0002_0003_0004_0005_0006_0007_0000n],
    ['::ffff:203.0.113.9', 0xffff_cb00_7109n],
    ['64:ff9b::192.0.2.1', 0x0064_ff9b_0000_0000_0000_0000_c000_0201n],
  ])('%s is one', (text, bits) => {
    expect(parseAddress(text)).toBe(bits);
  });

  test.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    ' 1.2.3.4',
    '1.2.3.4 ',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::1',
    'fe80::1%eth0',
    '::1.2.3.4.5',
    '1.2.3.4::',
    '::1.2.3.4:1',
    '[::1]',
    '1.2.3.4/8',
  ])('%j is none', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  test('what is one and what is none is the same as for Node itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV4Extended(),
          fc.ipV6(),
          fc.string({ unit: fc.constantFrom('0', '1', 'f', 'g', ':', '.', '::', '255') }),
        ),
        (text) => {
          expect(parseAddress(text) !== null).toBe(isIP(text) !== 0);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('networks', () => {
  test('hold what begins alike, as Node’s own lists say', () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4());
    const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }), fc.ipV6());
    fc.assert(
      fc.property(fc.oneof(v4, v6), ([first, prefix, address]) => {
        const family = isIP(first) === 4 ? 'ipv4' : 'ipv6';
        const list = new BlockList();
        list.addSubnet(first, prefix, family);
        const [network] = networks(`${first}/${prefix}`);
        for (const one of [first, address]) {
          expect(isWithin(network ? [network] : [], one)).toBe(list.check(one, family));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('an IPv4 address is held however it is written, and by no network of IPv6 by chance', () => {
    expect(isWithin(networks('10.0.0.0/8'), '::ffff:10.1.2.3')).toBe(true);
    expect(isWithin(networks('2001:db8::/32'), '10.1.2.3')).toBe(false);
    expect(isWithin(networks('10.0.0.0/8'), 'nobody')).toBe(false);
  });

  test.each([
    '',
    'example.test',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    '::/',
    '1/8',
  ])('%j is none', (text) => {
    expect(parseNetwork(text)).toBeNull();
  });
});

test('an IPv6 line is known by its first half, however it is written', () => {
  expect(lineOf('2001:db8:1:2:aaaa::1')).toBe(lineOf('2001:0DB8:1:2::ffff'));
  expect(lineOf('2001:db8:1:2::1')).not.toBe(lineOf('2001:db8:1:3::1'));
  expect(lineOf('2001:db8::1')).toBe('2001:db8:0:0');
  expect(lineOf('203.0.113.5')).toBe('203.0.113.5');
  expect(lineOf('::ffff:203.0.113.5')).toBe('203.0.113.5');
  expect(lineOf('')).toBe('');
});

describe('whose a request is', () => {
  const proxies = networks('10.0.0.0/8', '2001:db8:1::/48');

  test.each([
    ['nobody stands before it', '203.0.113.5', null, '203.0.113.5'],
    ['it comes from a stranger who names somebody', '203.0.113.5', '198.51.100.1', '203.0.113.5'],
    ['a proxy names nobody', '10.0.0.7', null, '10.0.0.7'],
    ['a proxy names it', '10.0.0.7', '203.0.113.5', '203.0.113.5'],
    ['it has made up others', '10.0.0.7', '10.0.0.8, 198.51.100.1, 203.0.113.5', '203.0.113.5'],
    ['it came through two proxies', '10.0.0.7', '1.1.1.1, 203.0.113.5, 10.9.9.9', '203.0.113.5'],
    ['all named are proxies', '10.0.0.7', '10.0.0.8, 10.0.0.9', '10.0.0.8'],
    ['a proxy names nonsense', '10.0.0.7', '203.0.113.5, <script>', '10.0.0.7'],
    ['a proxy names a port', '10.0.0.7', '203.0.113.5:4711', '203.0.113.5'],
    ['a proxy names IPv6 and a port', '10.0.0.7', '[2001:db8::5]:4711', '2001:db8::5'],
    ['a proxy comes by IPv6', '2001:db8:1::1', '2001:DB8::5', '2001:db8::5'],
    ['the socket says IPv4 within IPv6', '::ffff:10.0.0.7', '::ffff:203.0.113.5', '203.0.113.5'],
    ['there is no socket', '', '203.0.113.5', ''],
  ])('when %s', (_, socket, header, sender) => {
    expect(senderOf(socket, header, proxies)).toBe(sender);
  });

  test('without proxies of ours nobody is believed', () => {
    expect(senderOf('10.0.0.7', '203.0.113.5', [])).toBe('10.0.0.7');
  });
});
