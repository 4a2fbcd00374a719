// Tests of the configuration: everything missing is said at once, and what is given is taken.
import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';

const enough = {
  EDGE_URL: 'http://127.0.0.1:8787/',
  NODE_SECRET: 's'.repeat(32),
  REDIS_URL: 'redis://127.0.0.1:63790',
};

test('everything that is missing or wrong is named in one error', () => {
  const read = () =>
    readConfig({
      SFU_WORKERS: '0',
      NODE_SECRET: 'short',
      REDIS_URL: '',
      SFU_TAP_ALLOWED_ADDRESSES: '10.0.0.0/8, transcoder.example',
    });
  expect(read).toThrow(/EDGE_URL[\s\S]*NODE_SECRET[\s\S]*REDIS_URL/);
  expect(read).toThrow(/SFU_WORKERS/);
  expect(read).toThrow(/SFU_TAP_ALLOWED_ADDRESSES/);
});

test('defaults are those of a single node on this machine', () => {
  expect(readConfig(enough)).toMatchObject({
    nodeId: 'sfu-1',
    port: 4400,
    publicUrl: 'ws://127.0.0.1:4400/room',
    edgeUrl: 'http://127.0.0.1:8787',
    media: {
      port: 44_400,
      workers: 1,
      addresses: [{ listen: '127.0.0.1', announced: undefined }],
    },
  });
});

test('origins are a list, and each is a bare origin', () => {
  const origins = 'https://live.example, http://127.0.0.1:5173/';
  const config = readConfig({ ...enough, CLIENT_ORIGINS: origins });
  expect(config.clientOrigins).toEqual(['https://live.example', 'http://127.0.0.1:5173']);
});

describe('media addresses', () => {
  const addressesOf = (listen: string, announced = '') =>
    readConfig({
      ...enough,
      SFU_MEDIA_LISTEN_ADDRESS: listen,
      SFU_MEDIA_ANNOUNCED_ADDRESS: announced,
    }).media.addresses;

  test('are of both families, each announced as itself or by the address in its place', () => {
    expect(addressesOf('10.0.0.4', '203.0.113.4')).toEqual([
      { listen: '10.0.0.4', announced: '203.0.113.4' },
    ]);
    expect(addressesOf('10.0.0.4, 2001:db8::4')).toEqual([
      { listen: '10.0.0.4', announced: undefined },
      { listen: '2001:db8::4', announced: undefined },
    ]);
    expect(addressesOf('0.0.0.0,::', '203.0.113.4, 2001:db8::4')).toEqual([
      { listen: '0.0.0.0', announced: '203.0.113.4' },
      { listen: '::', announced: '2001:db8::4' },
    ]);
    expect(addressesOf('10.0.0.4,2001:db8::4', '203.0.113.4,')).toEqual([
      { listen: '10.0.0.4', announced: '203.0.113.4' },
      { listen: '2001:db8::4', announced: undefined },
    ]);
  });

  test.each([
    ['sfu.example', ''],
    ['10.0.0.4,10.0.0.4', ''],
    [',', ''],
    ['10.0.0.4,2001:db8::4', '203.0.113.4'],
    ['10.0.0.4', '203.0.113.4,2001:db8::4'],
    ['::', ''],
    ['0.0.0.0,::', '203.0.113.4,'],
  ])('%o announced as %o are refused', (listen, announced) => {
    expect(() => addressesOf(listen, announced)).toThrow('SFU_MEDIA_LISTEN_ADDRESS');
  });
});
