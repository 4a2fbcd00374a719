// The PROXY protocol: what is read of it, from whom, and what is made of what is none.
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assert, type Network, parseNetwork } from '#contract';
import type { Caller } from '../caller.ts';
import { createDoorstep } from '../doorstep.ts';
import { connectionsPerLineMax, keyShownMsMax } from '../limits.ts';
import { dial, publishing, untilClosed } from '../testing/rtmp-client.ts';
import { parseProxyHeader } from './proxy-header.ts';
import { type IngestServer, startRtmpServer } from './rtmp-server.ts';

const signature = '0d0a0d0a000d0a515549540a';
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const text = (line: string) => Buffer.from(`${line}\r\n`);
const tcp4 = hex(`${signature} 21 11 000c cb007107 0a000001 d431 078f`);
const tcp6 = hex(
  `${signature} 21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 d431 078f`,
);
/** With a TLV behind the addresses. */
const withMore = hex(`${signature} 21 11 0010 cb007107 0a000001 d431 078f 04000100`);

describe('a header', () => {
  test.each([
    ['PROXY TCP4', text('PROXY TCP4 203.0.113.7 10.0.0.1 54321 1935'), '203.0.113.7'],
    ['PROXY TCP6', text('PROXY TCP6 2001:db8::1 2001:db8::2 54321 1935'), '2001:db8::1'],
    ['PROXY UNKNOWN', text('PROXY UNKNOWN'), null],
    ['PROXY UNKNOWN with more', text('PROXY UNKNOWN ffff::1 ffff::2 1 2'), null],
    ['of version 2 by IPv4', tcp4, '203.0.113.7'],
    ['of version 2 by IPv6', tcp6, '2001:0db8:0000:0000:0000:0000:0000:0001'],
    ['of version 2 with more', withMore, '203.0.113.7'],
    ['of version 2 for the proxy itself', hex(`${signature} 20 00 0000`), null],
    ['of version 2 without a family', hex(`${signature} 21 00 0000`), null],
  ])('%s is read, and nothing behind it', (_, header, address) => {
    const bytes = Buffer.concat([header, Buffer.from([3, 0, 0])]);
    expect(parseProxyHeader(bytes)).toEqual({ address, length: header.length });
    for (let come = 0; come < header.length; come += 1) {
      expect(parseProxyHeader(header.subarray(0, come))).toBeNull();
    }
  });

  test.each([
    ['a handshake of RTMP', Buffer.from([3, 0, 0, 0])],
    ['other text', text('GET / HTTP/1.1')],
    ['a name for an address', text('PROXY TCP4 example.com 10.0.0.1 1 2')],
    ['another protocol', text('PROXY UDP4 203.0.113.7 10.0.0.1 1 2')],
    ['too few words', text('PROXY TCP4 203.0.113.7')],
    ['no end of the line', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`)],
    ['a version 3', hex(`${signature} 31 11 000c cb007107 0a000001 d431 078f`)],
    ['a path instead of an address', hex(`${signature} 21 31 00d8 ${'00'.repeat(216)}`)],
    ['too short addresses', hex(`${signature} 21 11 0004 cb007107`)],
    ['a length that is never reached', hex(`${signature} 21 11 ffff`)],
  ])('is not: %s', (_, bytes) => {
    expect(() => parseProxyHeader(bytes)).toThrow();
  });
});

describe('the RTMP port', () => {
  const loopback = parseNetwork('127.0.0.0/8');
  assert(loopback, 'it is a network');
  let server: IngestServer;
  let callers: Caller[] = [];

  async function start(proxies: Network[]): Promise<void> {
    callers = [];
    const onCaller = (caller: Caller) => void callers.push(caller);
    const doorstep = createDoorstep(50);
    server = await startRtmpServer({ address: '127.0.0.1', port: 0, doorstep, proxies, onCaller });
  }

  async function send(...pieces: Buffer[]): Promise<Socket> {
    const socket = (await dial(server.port)).resume().setNoDelay();
    for (const piece of pieces) await new Promise((sent) => socket.write(piece, sent));
    return socket;
  }

  beforeEach(() => start([loopback]));
  afterEach(() => server.close());

  test('knows encoders behind a proxy by their own addresses', async () => {
    await send(Buffer.concat([tcp4, publishing('one')]));
    await send(tcp4.subarray(0, 7), tcp4.subarray(7), publishing('two'));
    await send(hex(`${signature} 20 00 0000`), publishing('three'));
    await expect.poll(() => callers.length).toBe(3);
    const known = callers.map(({ key, address }) => `${key} ${address}`).sort();
    expect(known).toEqual(['one 203.0.113.7', 'three 127.0.0.1', 'two 203.0.113.7']);
  });

  test('counts their lines apart', async () => {
    for (let n = 0; n < connectionsPerLineMax + 2; n += 1) {
      const header = text(`PROXY TCP4 203.0.113.${n} 10.0.0.1 1 1935`);
      await send(Buffer.concat([header, publishing(`key-${n}`)]));
    }
    await expect.poll(() => callers.length).toBe(connectionsPerLineMax + 2);
  });

  test('takes nothing without a header from a proxy', async () => {
    const sentAtMs = performance.now();
    await untilClosed(await send(publishing('key')));
    expect(performance.now() - sentAtMs).toBeLessThan(keyShownMsMax / 2);
    expect(callers).toEqual([]);
  });

  test('believes nobody else', async () => {
    await server.close();
    await start([]);
    await send(Buffer.concat([tcp4, publishing('key')]));
    await send(publishing('other'));
    await expect.poll(() => callers.length).toBeGreaterThan(0);
    expect(callers.map(({ key, address }) => `${key} ${address}`)).toEqual(['other 127.0.0.1']);
  });
});
