// The configuration of the bridge: what it takes, and how it says what is wrong.
import { expect, test } from 'vitest';
import { isWithin } from '#contract';
import { readConfig } from './config.ts';

test('an empty environment is a bridge on this machine', () => {
  expect(readConfig({ EDGE_URL: '' })).toMatchObject({
    listenAddress: '127.0.0.1',
    rtmpPort: 1_935,
    srtPort: 9_000,
    edgeUrl: 'http://127.0.0.1:8787',
    bitrateMaxBps: 12_000_000,
    addressHeader: undefined,
    rtmpProxies: [],
  });
});

test('everything that is wrong is named at once', () => {
  const wrong = {
    BRIDGE_RTMP_PORT: 'x',
    EDGE_URL: 'edge',
    BRIDGE_LISTEN_ADDRESS: 'here',
    BRIDGE_RTMP_PROXIES: '10.0.0.1, everybody',
  };
  expect(() => readConfig(wrong)).toThrow(
    /BRIDGE_LISTEN_ADDRESS.*BRIDGE_RTMP_PORT.*BRIDGE_RTMP_PROXIES.*EDGE_URL/s,
  );
});

test('proxies are addresses and networks', () => {
  const { rtmpProxies } = readConfig({ BRIDGE_RTMP_PROXIES: '10.0.0.0/8, 2001:db8::1' });
  expect(rtmpProxies.length).toBe(2);
  expect(isWithin(rtmpProxies, '10.1.2.3')).toBe(true);
});

test('a header name cannot carry another header', () => {
  expect(() => readConfig({ CLIENT_ADDRESS_HEADER: 'x: y\r\nz' })).toThrow();
});
