// Tests of addresses: which are inside, which are the same host, and who is believed.
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { isInternal, isSameHost, networksOf, remoteAddress } from './addresses.ts';

test('one host has one address, except that all loopback addresses are this machine', () => {
  expect(isSameHost('203.0.113.5', '203.0.113.5')).toBe(true);
  expect(isSameHost('203.0.113.5', '203.0.113.6')).toBe(false);
  expect(isSameHost('2001:db8::1', '2001:0db8:0:0::1')).toBe(true);
  expect(isSameHost('127.0.0.1', '::1')).toBe(true);
  expect(isSameHost('203.0.113.5', '127.0.0.1')).toBe(false);
});

test('inside are the networks that no stranger comes from', () => {
  expect(['127.0.0.1', '10.0.0.1', 'fd00::1', '::ffff:192.168.1.2'].every(isInternal)).toBe(true);
  expect(['203.0.113.5', '2001:db8::1', ''].some(isInternal)).toBe(false);
  expect(() => networksOf(['10.0.0.0/33'])).toThrow('10.0.0.0/33');
});

test('only a proxy of ours is believed, whether it sends one header or several', () => {
  const from = (named: string[], header: string | undefined, ...proxies: string[]) => {
    const request = new IncomingMessage(new Socket());
    Object.defineProperty(request.socket, 'remoteAddress', { value: '::ffff:10.0.0.7' });
    Object.defineProperty(request, 'headersDistinct', { value: { 'x-forwarded-for': named } });
    return remoteAddress(request, { header, proxies: networksOf(proxies) });
  };
  const one = ['198.51.100.1, 203.0.113.5'];
  expect(from(one, undefined, '10.0.0.7')).toBe('10.0.0.7');
  expect(from(one, 'X-Forwarded-For')).toBe('10.0.0.7');
  expect(from(one, 'X-Forwarded-For', '10.0.0.8')).toBe('10.0.0.7');
  expect(from(one, 'X-Forwarded-For', '10.0.0.7')).toBe('203.0.113.5');
  expect(from(['198.51.100.1', '203.0.113.6'], 'X-Forwarded-For', '10.0.0.7')).toBe('203.0.113.6');
  expect(from(['nonsense'], 'X-Forwarded-For', '10.0.0.7')).toBe('10.0.0.7');
});
