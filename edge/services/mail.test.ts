// Mail: sent once whatever happens to answers and providers, readable by nobody meanwhile, and forgotten afterwards.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../scripts/launch/free-port.ts';
import { listenLocally } from '../../scripts/local/http.ts';
import { createMailboxClient } from '../../scripts/local/mailbox/client.ts';
import { startMailbox } from '../../scripts/local/mailbox/server.ts';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { sendMails } from '../jobs/mails.ts';
import { createLog } from './log.ts';
import { createMailer, type MailSender } from './mail.ts';
import { createHttpMailSender } from './mail-http.ts';
import { resetMail, verifyMail } from './mail-texts.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterEach(async () => {
  await edge.mailbox.resetFaults();
  await edge.database.asOwner('delete from mails');
});
afterAll(() => edge.close());

const link = 'https://livepanty.example/verify#a-secret-that-works';
const content = () => verifyMail({ username: 'asha_1', link, hours: 24 });
const newAddress = () => `${randomUUID()}@example.com`;

/** Queues a mail as a route does, and waits for what it left to be done behind its answer. */
async function queue(to: string, mailer = edge.parts.deps.mailer): Promise<void> {
  const deferred: Promise<unknown>[] = [];
  await mailer.queue('verify', to, content(), (work) => deferred.push(work));
  await Promise.all(deferred);
}
const makeDue = () =>
  edge.database.asOwner(`update mails set next_attempt_at = now() where state = 'waiting'`);
const rows = () => edge.database.asOwner('select * from mails');
const mailerWith = (sender: MailSender) => createMailer({ ...edge.parts.deps, sender });

test('a mail goes at once, behind the answer', async () => {
  const to = newAddress();
  await queue(to);
  expect(await edge.mailbox.newest(to)).toMatchObject({
    to: [to],
    from: edge.env.MAIL_FROM,
    ...content(),
  });
  expect(String(await edge.mailbox.linkFor(to, 'verify'))).toBe(link);
  await expect(edge.mailbox.linkFor(to, 'reset')).rejects.toThrow('no link of the kind reset');
});

test('a mail is sent once though its answer was lost', async () => {
  const to = newAddress();
  await edge.mailbox.setFault({ mode: 'drop-answer', times: 2 });
  await queue(to);
  expect(await rows()).toMatchObject([{ state: 'waiting', failure: 'no answer', attempts: 1 }]);
  for (const round of [{ waiting: 1 }, { sent: 1 }, { sent: 0 }]) {
    await makeDue();
    expect(await sendMails(edge.parts.deps)).toMatchObject(round);
  }
  expect(await edge.mailbox.list(to)).toHaveLength(1);
});

test('a refused address is failed and not retried for ever', async () => {
  const to = newAddress();
  await edge.mailbox.setFault({ mode: 'refuse' });
  await queue(to);
  expect(await rows()).toMatchObject([
    {
      state: 'failed',
      attempts: 1,
      sealed: null,
      failure: 'answered 422 validation_error',
      next_attempt_at: null,
    },
  ]);
  await edge.mailbox.resetFaults();
  expect(await sendMails(edge.parts.deps)).toEqual({ sent: 0, waiting: 0, failed: 0 });
  expect(await edge.mailbox.list(to)).toEqual([]);
});

test('while the provider is away mails wait, and go when it is back', async () => {
  const [port, apiKey] = [await freePort(), randomUUID()];
  const apiUrl = `http://127.0.0.1:${port}`;
  const mailer = mailerWith(createHttpMailSender({ apiUrl, apiKey, from: 'a@example.com' }));
  const deps = { ...edge.parts.deps, mailer };
  const receivers = [newAddress(), newAddress(), newAddress()];
  for (const to of receivers) await queue(to, mailer);
  await makeDue();
  expect(await sendMails(deps)).toEqual({ sent: 0, waiting: 3, failed: 0 });

  const log = pino({ level: 'silent' });
  const mailbox = await startMailbox({ port, smtpPort: 0, apiKey, log });
  // It is not their turn yet.
  expect(await sendMails(deps)).toEqual({ sent: 0, waiting: 0, failed: 0 });
  await makeDue();
  expect(await sendMails(deps)).toEqual({ sent: 3, waiting: 0, failed: 0 });
  const came = await createMailboxClient({ url: mailbox.url, apiKey }).list();
  expect(came.flatMap(({ to }) => to).toSorted()).toEqual(receivers.toSorted());
  await mailbox.close();
});

test('a provider that does not answer in time is asked again', async () => {
  const { mailbox } = edge;
  const to = newAddress();
  await mailbox.setFault({ mode: 'slow', delayMs: 400, times: 1 });
  const sender = createHttpMailSender({
    apiUrl: mailbox.url,
    apiKey: mailbox.apiKey,
    from: 'a@example.com',
    answerTimeoutMs: 100,
  });
  await queue(to, mailerWith(sender));
  expect(await rows()).toMatchObject([{ state: 'waiting', failure: 'no answer' }]);
  // The slow request is carried out although nobody waits for it any more.
  await expect.poll(() => mailbox.list(to).then((mails) => mails.length)).toBe(1);
  await makeDue();
  const deps = { ...edge.parts.deps, mailer: mailerWith(sender) };
  expect(await sendMails(deps)).toMatchObject({ sent: 1 });
  expect(await mailbox.list(to)).toHaveLength(1);
});

test('a link that works never stands in the table in clear', async () => {
  const to = newAddress();
  await edge.mailbox.setFault({ mode: 'error' });
  await queue(to);
  const [row] = await rows();
  const text = JSON.stringify(row);
  expect(row).toMatchObject({ state: 'waiting', failure: 'answered 500 application_error' });
  for (const secret of [link, 'a-secret-that-works', to, 'asha_1']) {
    expect(text).not.toContain(secret);
  }
  // Sealed for its own row: it opens in no other.
  const { vault } = edge.parts.deps;
  expect(await vault.open(row?.sealed, `mail:${row?.id}`)).toContain(link);
  await expect(vault.open(row?.sealed, `mail:${randomUUID()}`)).rejects.toThrow();
  // Nor may the services read even that past the acts.
  await expect(edge.database.db.execute('select sealed from mails')).rejects.toThrow();
});

test('a mail is forgotten once it was sent', async () => {
  await queue(newAddress());
  expect(await rows()).toMatchObject([
    { state: 'sent', sealed: null, failure: null, next_attempt_at: null, kind: 'verify' },
  ]);
});

test('a mail of which nothing is known to have gone wrong waits, and the log does not quote it', async () => {
  const lines: string[] = [];
  const log = createLog('debug', {}, (line) => lines.push(line));
  const to = newAddress();
  const sender: MailSender = {
    send: async (mail) => {
      throw new TypeError(`cannot send ${mail.text} to ${mail.to}`);
    },
  };
  await queue(to, createMailer({ ...edge.parts.deps, sender, log }));
  expect(await rows()).toMatchObject([{ state: 'waiting', failure: 'TypeError' }]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('mail not sent yet');
  for (const secret of [link, to]) expect(lines[0]).not.toContain(secret);
});

test('a runner that has lost its lease sends nothing', async () => {
  const to = newAddress();
  await edge.mailbox.setFault({ mode: 'error', times: 1 });
  await queue(to);
  await makeDue();
  const lost = {
    check() {
      throw new Error('the lease is lost');
    },
  };
  await expect(sendMails(edge.parts.deps, lost)).rejects.toThrow('the lease is lost');
  expect(await edge.mailbox.list(to)).toEqual([]);
});

test('a mail that an act has kept by itself goes the same way', async () => {
  const to = newAddress();
  const { mailer } = edge.parts.deps;
  const content = resetMail({ username: 'asha_1', link, minutes: 30 });
  const mail = await mailer.seal('reset', to, content);
  await edge.database.asOwner('select queue_mail($1, $2, $3)', [mail.id, mail.kind, mail.sealed]);
  expect(await mailer.attempt(mail)).toBe('sent');
  expect(String(await edge.mailbox.linkFor(to, 'reset'))).toBe(link);
});

test.each([
  [400, { name: 'validation_error' }, 'refused'],
  [422, { name: 'invalid_parameter' }, 'refused'],
  // Ours to put right, while the mail waits.
  [422, { name: 'invalid_from_address' }, 'later'],
  [401, { name: 'missing_api_key' }, 'later'],
  [403, { name: 'invalid_api_key' }, 'later'],
  [409, { name: 'concurrent_idempotent_requests' }, 'later'],
  [429, { name: 'rate_limit_exceeded' }, 'later'],
  [500, { name: 'application_error' }, 'later'],
  // Not the provider's own words: something in between.
  [422, '<html>', 'later'],
  [302, '', 'later'],
])('an answer of %i %o means %s', async (status, body, outcome) => {
  const apiUrl = await answering(status, body);
  const sender = createHttpMailSender({ apiUrl, apiKey: 'k', from: 'a@example.com' });
  const mail = { id: randomUUID(), to: newAddress(), ...content() };
  await expect(sender.send(mail)).rejects.toMatchObject({ name: 'MailFailure', outcome });
});

const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

/** A provider that always answers the same. */
async function answering(status: number, body: unknown): Promise<string> {
  const { port, close } = await listenLocally((request, response) => {
    // Whoever followed a redirect would be told that all is well.
    const isFollowed = request.url === '/elsewhere';
    response.writeHead(isFollowed ? 200 : status, { location: '/elsewhere' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }, 0);
  closing.push(close);
  return `http://127.0.0.1:${port}`;
}
