// Tests of addresses: which are the same host, which are one line, and who is believed.
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import {
  addressList,
  isInternal,
  isListed,
  isSameHost,
  lineOf,
  remoteAddress,
} from './addresses.ts';

test('one host has one address, except that all loopback addresses are this machine', () => {
  expect(isSameHost('203.0.113.5', '203.0.113.5')).toBe(true);
  expect(isSameHost('203.0.113.5', '203.0.113.6')).toBe(false);
  expect(isSameHost('2001:db8::1', '2001:0db8:0:0::1')).toBe(true);
  expect(isSameHost('127.0.0.1', '::1')).toBe(true);
  expect(isSameHost('203.0.113.5', '127.0.0.1')).toBe(false);
});

test('an IPv6 line is known by its first half, however it is written', () => {
  expect(lineOf('2001:db8:1:2:aaaa::1')).toBe(lineOf('2001:0DB8:1:2::ffff'));
  expect(lineOf('2001:db8:1:2::1')).not.toBe(lineOf('2001:db8:1:3::1'));
  expect(lineOf('2001:db8::1')).toBe('2001:db8:0:0');
  expect(lineOf('::1')).toBe('0:0:0:0');
  expect(lineOf('203.0.113.5')).toBe('203.0.113.5');
});

test('lists hold addresses and networks, and what is neither is refused', () => {
  const list = addressList(['10.1.0.0/16', '2001:db8::/32', '203.0.113.9']);
  for (const address of ['10.1.2.3', '2001:db8:ffff::1', '203.0.113.9']) {
    expect(isListed(list, address)).toBe(true);
  }
  for (const address of ['10.2.0.1', '203.0.113.8', 'example.test', '']) {
    expect(isListed(list, address)).toBe(false);
  }
  for (const wrong of ['example.test', '10.0.0.0/33', '']) {
    expect(() => addressList([wrong])).toThrow();
  }
  expect(['127.0.0.1', '10.0.0.1', 'fd00::1'].every(isInternal)).toBe(true);
  expect(['203.0.113.5', '2001:db8::1', ''].some(isInternal)).toBe(false);
});

test('only the last address of a trusted header counts, and none that is not trusted', () => {
  const request = new IncomingMessage(new Socket());
  Object.defineProperty(request.socket, 'remoteAddress', { value: '::ffff:10.0.0.7' });
  request.headers['x-forwarded-for'] = '198.51.100.1, 203.0.113.5';
  expect(remoteAddress(request, undefined)).toBe('10.0.0.7');
  expect(remoteAddress(request, 'X-Forwarded-For')).toBe('203.0.113.5');
  request.headers['x-forwarded-for'] = 'nonsense';
  expect(remoteAddress(request, 'X-Forwarded-For')).toBe('10.0.0.7');
});
