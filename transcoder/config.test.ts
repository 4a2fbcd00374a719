// Tests of the configuration.
import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';

const secret = 'x'.repeat(32);

describe('the configuration', () => {
  test('needs nothing but the secret', () => {
    expect(readConfig({ NODE_SECRET: secret })).toMatchObject({
      host: '127.0.0.1',
      port: 4_500,
      publicUrl: null,
      tapAddress: '127.0.0.1',
      edgeUrl: 'http://127.0.0.1:8787',
    });
  });

  test('names everything that is wrong in one error', () => {
    const read = () =>
      readConfig({ TRANSCODER_PORT: 'x', EDGE_URL: 'ftp://edge', TRANSCODER_TAP_ADDRESS: 'here' });
    expect(read).toThrow(/NODE_SECRET/);
    expect(read).toThrow(/TRANSCODER_PORT/);
    expect(read).toThrow(/EDGE_URL/);
    expect(read).toThrow(/TRANSCODER_TAP_ADDRESS/);
  });

  test('takes origins as a list, and empty variables as unset', () => {
    const config = readConfig({
      NODE_SECRET: secret,
      TRANSCODER_HOST: '',
      TRANSCODER_PUBLIC_URL: 'https://live.example/',
      CLIENT_ORIGINS: 'https://a.example/, http://b.example:8080',
    });
    expect(config.host).toBe('127.0.0.1');
    expect(config.publicUrl).toBe('https://live.example');
    expect(config.clientOrigins).toEqual(['https://a.example', 'http://b.example:8080']);
  });
});
