// Tests of a node with the real edge: what is ended there by a request is gone here, and comes back with a new ticket.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TicketGrant } from '#contract';
import { nodeSecret, type Person, startTestEdge, type TestEdge } from '../testing/edge.ts';
import { redisUrl } from '../testing/services.ts';
import { RoomClient } from './testing/room-client.ts';
import { startTestNode, type TestNode } from './testing/test-node.ts';

const endedWithinMs = 2_000;

let edge: TestEdge;
let live: Awaited<ReturnType<TestEdge['goLive']>>;
let node: TestNode;

beforeAll(async () => {
  edge = await startTestEdge();
  live = await edge.goLive();
  node = await startTestNode({
    edgeUrl: edge.url,
    redisUrl: redisUrl(),
    nodeId: live.nodeId,
    // An address of the nodes that this edge knows; the tests themselves go where the node really is.
    env: { NODE_SECRET: nodeSecret, SFU_PUBLIC_URL: 'ws://127.0.0.1:1/room' },
  });
});

afterAll(async () => {
  await node.close();
  await edge.close();
});

async function ticket(person: Person): Promise<string> {
  const { body } = await person.call('POST', `/v1/streams/${live.streamId}/tickets`, {
    body: { intent: 'watch' },
  });
  return TicketGrant.parse(body).room.ticket;
}

const join = (token: string) => RoomClient.join(node.socketUrl, token);

async function expectGone(client: RoomClient, request: Promise<{ status: number }>): Promise<void> {
  const askedAtMs = performance.now();
  expect((await request).status).toBeLessThan(300);
  expect(await client.closed).toBe('revoked');
  expect(performance.now() - askedAtMs).toBeLessThan(endedWithinMs);
}

test('a log-out closes the sockets of that device, and no older ticket of it is good', async () => {
  const [leaving, staying] = [await edge.register(), await edge.register()];
  const [client, bystander] = [
    await join(await ticket(leaving)),
    await join(await ticket(staying)),
  ];
  const older = await ticket(leaving);
  await expectGone(
    client,
    edge.call('POST', '/v1/auth/logout', { headers: { cookie: leaving.cookie } }),
  );
  await expect(join(older)).rejects.toMatchObject({ code: 'revoked' });
  expect(await bystander.request('ping', {})).toEqual({});
  bystander.close();
});

test('a ban closes the sockets of a person, and of nobody else', async () => {
  const [banned, admin] = [await edge.register(), await edge.register('admin')];
  const [client, bystander] = [await join(await ticket(banned)), await join(await ticket(admin))];
  await expectGone(
    client,
    admin.call('POST', `/v1/admin/users/${banned.session.user.id}/ban`, {
      body: { reason: 'threats' },
    }),
  );
  expect(await bystander.request('ping', {})).toEqual({});
  bystander.close();
});
