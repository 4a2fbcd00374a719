// The stage: who is invited, who may publish beside the performer, and what is kept from everybody.
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  isHoldOn,
  type MediaHold,
  nothingHeld,
  Revocation,
  RoomTicket,
  stageGuestsMax,
} from '#contract';
import { transitionStream } from '#db';
import { newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { type Cast, createCast, type Member } from '../testing/cast.ts';
import { listNode } from '../testing/nodes.ts';

let edge: TestEdge;
let cast: Cast;
let unlistNode: () => Promise<void>;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  unlistNode = await listNode(edge, 'sfu-stage');
});
afterAll(async () => {
  await unlistNode();
  await edge.close();
});

const pathOf = (streamId: string) => `/v1/streams/${streamId}/stage`;
const invite = (host: Member, streamId: string, username: string) =>
  host.call('POST', pathOf(streamId), { body: { username } });
const say = (guest: Member, streamId: string, accept: boolean) =>
  guest.call('POST', `${pathOf(streamId)}/answer`, { body: { accept } });
const stageOf = async (who: Member, streamId: string) =>
  (await who.call('GET', pathOf(streamId))).body.guests;
const ticket = (who: Member, streamId: string, intent = 'publish') =>
  who.call('POST', `/v1/streams/${streamId}/tickets`, { body: { intent } });
const codeOf = async (answer: ReturnType<TestEdge['call']>) => {
  const { status, body } = await answer;
  return [status, body?.code];
};
const claimsOf = async (answer: ReturnType<TestEdge['call']>) =>
  RoomTicket.parse(decodeJwt((await answer).body.room.ticket));

/** A live stream and somebody who has come to its stage. */
async function withGuest() {
  const { performer, streamId } = await cast.live();
  const guest = await cast.member();
  await invite(performer, streamId, guest.username);
  await say(guest, streamId, true);
  return { performer, streamId, guest };
}

const revokedSince = async (number: number) => {
  const rows = await edge.database.asOwner<{ revocation: unknown }>(
    'select revocation_json(r) as revocation from revocations r where number > $1 order by number',
    [number],
  );
  return rows.map(({ revocation }) => Revocation.parse(revocation));
};

test('a guest who does not reach the node of the host moves neither the stream nor themselves', async () => {
  const { performer, streamId, guest } = await withGuest();
  const nodeOf = async (who: Member, body: object) =>
    claimsOf(who.call('POST', `/v1/streams/${streamId}/tickets`, { body })).then(
      ({ node }) => node,
    );
  const asked = await guest.call('POST', `/v1/streams/${streamId}/tickets`, {
    body: { intent: 'publish' },
  });
  const unlistOther = await listNode(edge, 'sfu-other');
  const home = await nodeOf(performer, { intent: 'publish' });
  const body = { intent: 'publish', unreachable: asked.body.room.url };
  expect(await nodeOf(guest, body)).toBe(home);
  expect(await nodeOf(performer, { intent: 'publish' })).toBe(home);
  await unlistOther();
});

describe('an invitation', () => {
  test('lets its guest publish once they have come, beside the performer and as no host', async () => {
    const { performer, streamId } = await cast.live();
    const guest = await cast.member();
    expect(await codeOf(ticket(guest, streamId))).toEqual([403, 'forbidden']);
    const invited = await invite(performer, streamId, guest.username.toUpperCase());
    expect(invited.status).toBe(201);
    expect(invited.body).toMatchObject({
      user: { id: guest.id, username: guest.username },
      state: 'invited',
      held: nothingHeld,
    });
    // An invitation is no permission yet; whoever has one is told by their ticket.
    expect(await codeOf(ticket(guest, streamId))).toEqual([403, 'forbidden']);
    expect((await ticket(guest, streamId, 'watch')).body.stage).toBe('invited');
    expect((await say(guest, streamId, true)).status).toBe(204);
    const claims = await claimsOf(ticket(guest, streamId));
    expect(claims).toMatchObject({
      sub: guest.id,
      name: guest.username,
      capabilities: ['stage', 'subscribe'],
      held: nothingHeld,
    });
    expect((await claimsOf(ticket(performer, streamId))).capabilities).toContain('publish');
    expect(await stageOf(performer, streamId)).toMatchObject([{ state: 'joined' }]);
  });

  test('is seen by the performer and by whom it is for, and by nobody else', async () => {
    const { performer, streamId, guest } = await withGuest();
    const other = await cast.member();
    await invite(performer, streamId, other.username);
    expect(await stageOf(performer, streamId)).toHaveLength(2);
    expect((await stageOf(guest, streamId)).map((one: { user: object }) => one.user)).toEqual([
      { id: guest.id, username: guest.username },
    ]);
    expect(await stageOf(await cast.member(), streamId)).toEqual([]);
  });

  test('is the performer’s own to make, for people who can be found', async () => {
    const { performer, streamId } = await cast.live();
    const guest = await cast.member();
    const rival = await cast.member('performer');
    expect(await codeOf(invite(rival, streamId, guest.username))).toEqual([403, 'forbidden']);
    expect(await codeOf(invite(guest, streamId, guest.username))).toEqual([403, 'forbidden']);
    for (const [username, code] of [
      ['nobody_here', 'not-found'],
      [performer.username, 'invalid-request'],
      ['%', 'invalid-request'],
    ] as const) {
      expect((await invite(performer, streamId, username)).body.code).toBe(code);
    }
    const blocker = await cast.member();
    await blocker.call('PUT', `/v1/users/me/blocks/${performer.id}`);
    expect(await codeOf(invite(performer, streamId, blocker.username))).toEqual([404, 'not-found']);
    const blocked = await cast.member();
    await performer.call('PUT', `/v1/users/me/blocks/${blocked.id}`);
    expect(await codeOf(invite(performer, streamId, blocked.username))).toEqual([403, 'blocked']);
    expect(await codeOf(say(guest, streamId, true))).toEqual([404, 'not-found']);
    await transitionStream(edge.database.db, streamId, 'ended');
    expect(await codeOf(invite(performer, streamId, guest.username))).toEqual([
      409,
      'stream-ended',
    ]);
  });

  test('is one however often it is made, and one of few however many are made at once', async () => {
    const { performer, streamId } = await cast.live();
    const people = await Promise.all(
      Array.from({ length: stageGuestsMax + 3 }, () => cast.member()),
    );
    const names = people.map(({ username }) => username);
    const [first = ''] = names;
    const twice = await Promise.all(
      [first, first].map((name) => invite(performer, streamId, name)),
    );
    expect(twice.map(({ status }) => status)).toEqual([201, 201]);
    const answers = await Promise.all(names.map((name) => invite(performer, streamId, name)));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.map(({ body }) => body.code)).toEqual(Array(3).fill('stage-full'));
    await performer.call('DELETE', `${pathOf(streamId)}/${people[0]?.id}`);
    expect((await invite(performer, streamId, names.at(-1) ?? '')).status).toBe(201);
  });

  test('opens a stream for followers to whom it is for', async () => {
    const { performer, streamId } = await cast.live(undefined, { visibility: 'followers' });
    const guest = await cast.member();
    expect(await codeOf(ticket(guest, streamId, 'watch'))).toEqual([403, 'followers-only']);
    await invite(performer, streamId, guest.username);
    const opened = await ticket(guest, streamId, 'watch');
    expect(opened.status).toBe(201);
    // Until it is taken back: what it has opened ends with it.
    const { rev } = RoomTicket.parse(decodeJwt(opened.body.room.ticket));
    await performer.call('DELETE', `${pathOf(streamId)}/${guest.id}`);
    expect(await revokedSince(rev)).toEqual([
      expect.objectContaining({ kind: 'viewer', subject: guest.id, streamId }),
    ]);
    expect(await codeOf(ticket(guest, streamId, 'watch'))).toEqual([403, 'followers-only']);
  });
});

describe('the end of a place on the stage', () => {
  test('by the performer ends what the guest has opened, and lets them open nothing more', async () => {
    const { performer, streamId, guest } = await withGuest();
    const claims = await claimsOf(ticket(guest, streamId));
    expect((await performer.call('DELETE', `${pathOf(streamId)}/${guest.id}`)).status).toBe(204);
    expect(await revokedSince(claims.rev)).toContainEqual(
      expect.objectContaining({ kind: 'viewer', subject: guest.id, streamId }),
    );
    expect(await codeOf(ticket(guest, streamId))).toEqual([403, 'forbidden']);
    expect((await ticket(guest, streamId, 'watch')).body.stage).toBeNull();
    // Again is no other than once.
    expect((await performer.call('DELETE', `${pathOf(streamId)}/${guest.id}`)).status).toBe(204);
    const rival = await cast.member('performer');
    const taken = rival.call('DELETE', `${pathOf(streamId)}/${guest.id}`);
    expect(await codeOf(taken)).toEqual([403, 'forbidden']);
  });

  test('by the guest needs no permission, ends what they have opened, and no session', async () => {
    const { streamId, guest } = await withGuest();
    const { rev } = await claimsOf(ticket(guest, streamId));
    expect((await say(guest, streamId, false)).status).toBe(204);
    expect(await codeOf(ticket(guest, streamId))).toEqual([403, 'forbidden']);
    expect(await revokedSince(rev)).toEqual([
      expect.objectContaining({ kind: 'viewer', subject: guest.id, streamId }),
    ]);
  });

  test('comes with a block, and with a ban from the rooms', async () => {
    const blocked = await withGuest();
    await blocked.performer.call('PUT', `/v1/users/me/blocks/${blocked.guest.id}`);
    expect(await stageOf(blocked.performer, blocked.streamId)).toEqual([]);
    expect((await ticket(blocked.guest, blocked.streamId)).status).toBe(403);
    const banned = await withGuest();
    await banned.performer.call('PUT', `/v1/streams/${banned.streamId}/bans/${banned.guest.id}`, {
      body: { kind: 'banned', minutes: 5 },
    });
    expect((await ticket(banned.guest, banned.streamId)).status).toBe(403);
  });
});

describe('a hold', () => {
  const silent: MediaHold = { sound: true, picture: false };
  const hold = (by: Member, streamId: string, userId: string, held: MediaHold) =>
    by.call('PUT', `${pathOf(streamId)}/${userId}/hold`, { body: held });
  const holdByStaff = (by: Member, streamId: string, userId: string, held: MediaHold) =>
    by.call('PUT', `/v1/admin/streams/${streamId}/holds/${userId}`, { body: held });

  test('by the host is an order to the nodes, and in the next ticket', async () => {
    const { performer, streamId, guest } = await withGuest();
    const { rev, sub, sid } = await claimsOf(ticket(guest, streamId));
    expect((await hold(performer, streamId, guest.id, silent)).status).toBe(204);
    const orders = await revokedSince(rev);
    const what = { rev, subject: sub, sessionId: sid, streamId };
    const own = orders.filter((order) => isHoldOn(what, order));
    expect(own.map(({ held }) => held)).toEqual([silent]);
    const next = await claimsOf(ticket(guest, streamId));
    expect(next.held).toEqual(silent);
    // What the ticket knows already is no news to whoever holds it.
    expect(orders.filter((order) => isHoldOn({ ...what, rev: next.rev }, order))).toEqual([]);
    expect(await stageOf(performer, streamId)).toMatchObject([{ held: silent }]);
    // The same again is no order.
    await hold(performer, streamId, guest.id, silent);
    expect(await revokedSince(next.rev)).toEqual([]);
    await hold(performer, streamId, guest.id, nothingHeld);
    expect((await revokedSince(next.rev)).map(({ held }) => held)).toEqual([nothingHeld]);
  });

  test('by staff is not the host’s to undo, and also of the host', async () => {
    const { performer, streamId, guest } = await withGuest();
    const staff = await cast.member('moderator');
    const { id: hostId } = performer;
    const all: MediaHold = { sound: true, picture: true };
    expect((await holdByStaff(staff, streamId, guest.id, { ...silent })).status).toBe(204);
    await hold(performer, streamId, guest.id, { sound: false, picture: true });
    expect((await claimsOf(ticket(guest, streamId))).held).toEqual(all);
    await hold(performer, streamId, guest.id, nothingHeld);
    expect((await claimsOf(ticket(guest, streamId))).held).toEqual(silent);
    expect((await holdByStaff(staff, streamId, hostId, all)).status).toBe(204);
    expect((await claimsOf(ticket(performer, streamId))).held).toEqual(all);
    const { body } = await performer.act('POST', '/v1/stream-keys', { name: 'OBS' });
    const encoder = await edge.call('POST', '/v1/ingest/tickets', {
      body: { protocol: 'whip' },
      headers: { authorization: `Bearer ${body.secret}` },
    });
    expect(RoomTicket.parse(decodeJwt(encoder.body.room.ticket)).held).toEqual(all);
    const [entry] = await edge.database.asOwner<{ action: string }>(
      `select action from audit_log where subject = $1 order by id desc limit 1`,
      [streamId],
    );
    expect(entry?.action).toBe('stream.held');
  });

  test('is for hosts of their guests, and for staff with a second factor', async () => {
    const { performer, streamId, guest } = await withGuest();
    const rival = await cast.member('performer');
    expect(await codeOf(hold(rival, streamId, guest.id, silent))).toEqual([403, 'forbidden']);
    expect(await codeOf(hold(guest, streamId, guest.id, nothingHeld))).toEqual([403, 'forbidden']);
    const stranger = await cast.member();
    expect(await codeOf(hold(performer, streamId, stranger.id, silent))).toEqual([
      404,
      'not-found',
    ]);
    const oneself = hold(performer, streamId, performer.id, silent);
    expect(await codeOf(oneself)).toEqual([404, 'not-found']);
    expect((await holdByStaff(performer, streamId, guest.id, silent)).status).toBe(403);
    const malformed = performer.call('PUT', `${pathOf(streamId)}/${guest.id}/hold`, {
      body: { sound: 'yes', picture: false },
    });
    expect(await codeOf(malformed)).toEqual([422, 'invalid-request']);
    const unknown = holdByStaff(await cast.member('moderator'), newKey(), guest.id, silent);
    expect((await unknown).status).toBeGreaterThanOrEqual(404);
  });
});
