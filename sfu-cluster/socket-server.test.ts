// Tests of the socket server: who may connect, and that nobody who connects can stand in the way.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { waitingPerLineMax } from './doorstep.ts';
import { RoomClient } from './testing/room-client.ts';
import { useScene } from './testing/scene.ts';
import { withSecret } from './testing/test-edge.ts';
import { testOrigin } from './testing/test-node.ts';

const scene = useScene({
  env: { CLIENT_ADDRESS_HEADER: 'X-Real-IP', TRUSTED_PROXIES: '127.0.0.1,::1' },
});

/** A bare TCP connection to the node, which stays half open when the node closes its side. */
async function raw(): Promise<Socket> {
  const { hostname, port } = new URL(scene.node.httpUrl);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function upgrade(path: string): string {
  const headers = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket'];
  return `${[`GET ${path} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n`;
}

describe('connecting', () => {
  test('a page of ours may connect, a foreign page may not', async () => {
    const ours = await RoomClient.connect(scene.node.socketUrl, { origin: testOrigin });
    ours.close();
    await expect(
      RoomClient.connect(scene.node.socketUrl, { origin: 'http://evil.test' }),
    ).rejects.toThrow('403');
  });

  test('there is no socket beside /room', async () => {
    await expect(
      RoomClient.connect(`${scene.node.httpUrl.replace('http', 'ws')}/x`),
    ).rejects.toThrow('404');
  });

  test('figures are for those who know the secret, health is for everybody', async () => {
    const status = async (path: string, init?: RequestInit) =>
      (await fetch(`${scene.node.httpUrl}${path}`, init)).status;
    expect(await status('/stats')).toBe(404);
    expect(await status('/stats', { headers: { authorization: 'Bearer wrong' } })).toBe(404);
    expect(await status('/stats', withSecret)).toBe(200);
    expect(await status('/readyz')).toBe(200);
  });
});

describe('a connection that says nothing more', () => {
  test('is cut after it was refused, though it keeps its side open', async () => {
    const socket = await raw();
    socket.write(upgrade('/elsewhere'));
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('404');
    // Nobody is there any more to take what is sent.
    const poke = setInterval(() => socket.write('x'), 20);
    await expect(once(socket, 'close')).rejects.toThrow(/EPIPE|ECONNRESET/);
    clearInterval(poke);
  });

  test('is cut before it has sent a request', async () => {
    const silent = await raw();
    const slow = await raw();
    slow.write('GET /room HTTP/1.1\r\nHost: x\r\n');
    await Promise.all([once(silent.resume(), 'end'), once(slow.resume(), 'end')]);
    silent.destroy();
    slow.destroy();
  });
});

describe('sockets without a ticket', () => {
  test('from one line are few, and those with a ticket and of other lines go on', async () => {
    const from = (address: string) => ({ headers: { 'x-real-ip': address } });
    const connect = (address: string) => RoomClient.connect(scene.node.socketUrl, from(address));
    const ticket = await scene.edge.ticket({ stream: scene.stream });
    const inside = await RoomClient.join(scene.node.socketUrl, ticket, from('203.0.113.5'));
    const idle = await Promise.all(
      Array.from({ length: waitingPerLineMax }, () => connect('203.0.113.5')),
    );
    await expect(connect('203.0.113.5')).rejects.toThrow('429');
    const neighbour = await connect('203.0.113.6');
    expect(await inside.request('ping', {})).toEqual({});
    for (const client of [...idle, neighbour]) client.cut();
    const again = () =>
      connect('203.0.113.5').then(
        (client) => client.close(),
        () => 'refused',
      );
    await expect.poll(again).toBeUndefined();
    inside.close();
  });
});
