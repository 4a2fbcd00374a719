// Mails in the database: each is somebody's for one attempt, comes again later and later, and is forgotten at its end.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { forgetMails, noteMailFailed, noteMailSent, queueMail, takeMailsToSend } from './mails.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => database.asOwner('delete from mails'));
afterAll(() => database.close());

async function queued(): Promise<string> {
  const id = randomUUID();
  await queueMail(database.db, { id, kind: 'verify', sealed: 'v1.sealed' });
  return id;
}
const makeDue = () =>
  database.asOwner(`update mails set next_attempt_at = now() where state = 'waiting'`);
const rowOf = async (id: string) =>
  (
    await database.asOwner(
      `select state, sealed, attempts, failure, sent_at is not null as "isSent",
        round(extract(epoch from next_attempt_at - now())) as "inSeconds" from mails where id = $1`,
      [id],
    )
  )[0];
const failed = (mailId: string, attempt: number, isFinal = false) =>
  noteMailFailed(database.db, { mailId, attempt, failure: 'answered 500', isFinal });

test('the first attempt is of whoever queued it, and somebody else makes the next if they die', async () => {
  const id = await queued();
  expect(await takeMailsToSend(database.db, 10)).toEqual([]);
  await makeDue();
  expect(await takeMailsToSend(database.db, 10)).toEqual([
    { id, kind: 'verify', sealed: 'v1.sealed', attempt: 2 },
  ]);
  expect(await takeMailsToSend(database.db, 10)).toEqual([]);
});

test('several runners never take the same mail, and none waits for another', async () => {
  for (let made = 0; made < 5; made += 1) await queued();
  await makeDue();
  const other = new pg.Client({ connectionString: database.url });
  await other.connect();
  try {
    await other.query('begin');
    const { rows } = await other.query('select mails_to_send(2) as taken');
    const ours = await takeMailsToSend(database.db, 10);
    await other.query('commit');
    const theirs: { id: string }[] = rows[0].taken;
    expect([theirs.length, ours.length]).toEqual([2, 3]);
    expect(new Set([...theirs, ...ours].map(({ id }) => id)).size).toBe(5);
  } finally {
    await other.end();
  }
});

test('attempts come later and later, and after the eighth a mail is given up and forgotten', async () => {
  const id = await queued();
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    const state = await failed(id, attempt);
    expect(state).toBe(attempt < 8 ? 'waiting' : 'failed');
    const row = await rowOf(id);
    if (row) waits.push(Number(row.inSeconds));
    await makeDue();
    await takeMailsToSend(database.db, 10);
  }
  expect(waits.slice(0, 7)).toEqual([10, 40, 160, 640, 2_560, 10_240, 21_600]);
  expect(await rowOf(id)).toMatchObject({ state: 'failed', sealed: null, failure: 'answered 500' });
});

test('a mail whose last attempt nobody told the end of is given up, too', async () => {
  const id = await queued();
  for (let attempt = 2; attempt <= 8; attempt += 1) {
    await makeDue();
    expect(await takeMailsToSend(database.db, 10)).toMatchObject([{ attempt }]);
  }
  await makeDue();
  expect(await takeMailsToSend(database.db, 10)).toEqual([]);
  expect(await rowOf(id)).toMatchObject({ state: 'failed', sealed: null, attempts: 8 });
});

test('an attempt that was overtaken says nothing any more, unless that the mail went', async () => {
  const id = await queued();
  await makeDue();
  await takeMailsToSend(database.db, 10);
  expect(await failed(id, 1, true)).toBe('waiting');
  expect(await rowOf(id)).toMatchObject({ state: 'waiting', attempts: 2, failure: null });
  await noteMailSent(database.db, id);
  expect(await failed(id, 2, true)).toBe('sent');
  expect(await rowOf(id)).toMatchObject({ state: 'sent', sealed: null, isSent: true });
});

test('what has ended goes after its time; what waits stays', async () => {
  const [sent, waits] = [await queued(), await queued()];
  await noteMailSent(database.db, sent);
  expect(await forgetMails(database.db, 60)).toBe(0);
  await database.asOwner(`update mails set created_at = now() - interval '1 hour'`);
  expect(await forgetMails(database.db, 60)).toBe(1);
  expect(await rowOf(waits)).toMatchObject({ state: 'waiting' });
});
