// The configuration of the bridge: what it takes, and how it says what is wrong.
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

test('an empty environment is a bridge on this machine', () => {
  expect(readConfig({ EDGE_URL: '' })).toMatchObject({
    listenAddress: '127.0.0.1',
    rtmpPort: 1_935,
    srtPort: 9_000,
    edgeUrl: 'http://127.0.0.1:8787',
    bitrateMaxBps: 12_000_000,
    addressHeader: undefined,
  });
});

test('everything that is wrong is named at once', () => {
  const wrong = { BRIDGE_RTMP_PORT: 'x', EDGE_URL: 'edge', BRIDGE_LISTEN_ADDRESS: 'here' };
  expect(() => readConfig(wrong)).toThrow(/BRIDGE_LISTEN_ADDRESS.*BRIDGE_RTMP_PORT.*EDGE_URL/s);
});

test('a header name cannot carry another header', () => {
  expect(() => readConfig({ CLIENT_ADDRESS_HEADER: 'x: y\r\nz' })).toThrow();
});
