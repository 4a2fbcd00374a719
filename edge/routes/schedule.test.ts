// The schedule: announced, changed, taken back, shown to others; and nobody else's.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scheduledDaysMax, scheduleMax } from '#contract';
import { newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterAll(() => edge.close());

const path = '/v1/users/me/schedule';
const dayMs = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString();
const show = { title: 'Late piano', category: 'music', startsAt: inDays(2), minutes: 90 };
const announce = (who: Member, more: object = {}, key = newKey()) =>
  who.act('POST', path, { ...show, ...more }, key);
const shown = async (who: Member) =>
  (await edge.call('GET', `/v1/users/${who.id}`)).body.schedule.map(
    ({ title }: { title: string }) => title,
  );

test('what is announced is shown to others, the next first, until it is over', async () => {
  const performer = await cast.member('performer');
  const { status, body } = await announce(performer);
  expect([status, body]).toEqual([201, { ...show, id: body.id }]);
  await announce(performer, { title: 'Sooner', startsAt: inDays(1) });
  expect(await shown(performer)).toEqual(['Sooner', 'Late piano']);
  expect((await performer.call('GET', path)).body.entries).toHaveLength(2);
  const began = `update schedule set starts_at = now() - interval '89 minutes' where id = $1`;
  await edge.database.asOwner(began, [body.id]);
  expect(await shown(performer)).toEqual(['Late piano', 'Sooner']);
  const over = `update schedule set starts_at = now() - interval '91 minutes' where id = $1`;
  await edge.database.asOwner(over, [body.id]);
  expect(await shown(performer)).toEqual(['Sooner']);
});

test('the same key announces once, and answers it as it is now; of others it is another one', async () => {
  const [one, other] = [await cast.member('performer'), await cast.member('performer')];
  const key = newKey();
  const answers = await Promise.all(Array.from({ length: 5 }, () => announce(one, {}, key)));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  const id = answers[0]?.body.id;
  await one.call('PATCH', `${path}/${id}`, { body: { title: 'Later piano' } });
  expect((await announce(one, {}, key)).body).toMatchObject({ id, title: 'Later piano' });
  expect((await announce(other, {}, key)).body.id).not.toBe(id);
  const keyless = await one.call('POST', path, { body: show });
  expect(refused(keyless)).toEqual([400, 'missing-idempotency-key']);
});

test('an announcement is changed and taken back by its own performer alone', async () => {
  const [one, other] = [await cast.member('performer'), await cast.member('performer')];
  const { id } = (await announce(one)).body;
  const stolen = await other.call('PATCH', `${path}/${id}`, { body: { title: 'mine' } });
  expect(refused(stolen)).toEqual([404, 'not-found']);
  await other.call('DELETE', `${path}/${id}`);
  expect(await shown(one)).toEqual(['Late piano']);
  const changed = await one.call('PATCH', `${path}/${id}`, { body: { minutes: 30 } });
  expect(changed.body).toEqual({ ...show, id, minutes: 30 });
  expect((await one.call('DELETE', `${path}/${id}`)).status).toBe(204);
  expect((await one.call('DELETE', `${path}/${id}`)).status).toBe(204);
  expect(await shown(one)).toEqual([]);
  expect(refused(await announce(await cast.member()))).toEqual([403, 'forbidden']);
});

test.each([
  ['the past', { startsAt: inDays(-0.01) }],
  ['what is too far ahead', { startsAt: inDays(scheduledDaysMax + 1) }],
  ['a minute', { minutes: 1 }],
  ['more than a day', { minutes: 1_441 }],
  ['no title', { title: ' ' }],
  ['a title of two lines', { title: 'a\nb' }],
  ['a category that is none', { category: 'sleep' }],
  ['something unknown', { price: 5 }],
])('%s is not announced, and nothing is changed to it', async (_, more) => {
  const performer = await cast.member('performer');
  expect(refused(await announce(performer, more))).toEqual([422, 'invalid-request']);
  const { id } = (await announce(performer)).body;
  const changed = await performer.call('PATCH', `${path}/${id}`, { body: more });
  expect(refused(changed)).toEqual([422, 'invalid-request']);
});

test('there are no more announcements than may be, however they come', async () => {
  const performer = await cast.member('performer');
  await edge.database.asOwner(
    `insert into schedule (performer_id, title, category, starts_at, minutes)
      select $1, 'one of many', 'music', now() + interval '1 hour', 60 from generate_series(1, $2::int)`,
    [performer.id, scheduleMax - 1],
  );
  const answers = await Promise.all(Array.from({ length: 4 }, () => announce(performer)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
});

test('a calendar tells the same, to whoever may see the profile', async () => {
  const performer = await cast.member('performer');
  await announce(performer);
  const calendar = `/v1/users/${performer.username}/schedule.ics`;
  const { status, headers, body } = await edge.call('GET', calendar);
  expect([status, headers.get('content-type')]).toEqual([200, 'text/calendar; charset=utf-8']);
  expect(headers.get('cache-control')).toBe('public, max-age=900');
  expect(body).toContain(`SUMMARY:${performer.username}: Late piano\r\n`);
  await performer.call('PATCH', '/v1/users/me/profile', {
    body: { privacy: 'followers' },
    headers: { 'if-match': '"1"' },
  });
  expect((await edge.call('GET', calendar)).body).not.toContain('Late piano');
  const viewer = await cast.member();
  const none = await edge.call('GET', `/v1/users/${viewer.username}/schedule.ics`);
  expect(refused(none)).toEqual([404, 'not-found']);
});
