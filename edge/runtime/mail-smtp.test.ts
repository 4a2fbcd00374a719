// Mail over SMTP, against a real server: encrypted or not at all, and known again when it comes twice.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../scripts/launch/free-port.ts';
import { bundleWorker } from '../../scripts/launch/worker-bundle.ts';
import { createMailboxClient, type MailboxClient } from '../../scripts/local/mailbox/client.ts';
import { type Mailbox, startMailbox } from '../../scripts/local/mailbox/server.ts';
import { makeCertificate } from '../../testing/certificate.ts';
import type { MailSender } from '../services/mail.ts';
import { verifyMail } from '../services/mail-texts.ts';
import { parseSmtpUrl } from '../services/smtp-server.ts';
import { createSmtpMailSender } from './mail-smtp.ts';

const apiKey = randomUUID();
const from = 'LivePanty <no-reply@livepanty.example>';
const link = 'https://livepanty.example/verify#1';
const content = verifyMail({ username: 'asha_1', link, hours: 24 });

let certificate: { key: string; cert: string };
beforeAll(() => {
  certificate = makeCertificate();
});
const running: Mailbox[] = [];
afterEach(() => Promise.all(running.splice(0).map((mailbox) => mailbox.close())));

async function start(tls?: { secure: boolean }): Promise<{ client: MailboxClient; host: string }> {
  const mailbox = await startMailbox({
    port: 0,
    smtpPort: 0,
    apiKey,
    ...(tls ? { tls: { ...certificate, ...tls } } : {}),
    log: pino({ level: 'silent' }),
  });
  running.push(mailbox);
  return {
    client: createMailboxClient({ url: mailbox.url, apiKey }),
    host: new URL(mailbox.smtpUrl).host,
  };
}

function senderTo(url: string, ca: string | null = certificate.cert): MailSender {
  const server = parseSmtpUrl(url);
  if (!server) throw new Error(`${url} is none`);
  return createSmtpMailSender({ server, from, ...(ca === null ? {} : { ca }) });
}
const newMail = (to = 'asha@example.com') => ({ id: randomUUID(), to, ...content });

test.each([
  ['STARTTLS', 'smtp://', { secure: false }],
  ['TLS from the start', 'smtps://', { secure: true }],
])(
  'a mail goes over %s, with both parts and the same Message-ID each time',
  async (_, scheme, tls) => {
    const { client, host } = await start(tls);
    const mail = newMail();
    const sender = senderTo(`${scheme}${host}`);
    await sender.send(mail);
    await sender.send(mail);
    const came = await client.list(mail.to);
    // Twice: what is told to SMTP is taken at its word. Mailboxes know it again by its id.
    expect(came).toHaveLength(2);
    for (const one of came) {
      expect(one).toMatchObject({
        ...content,
        via: 'smtp',
        from,
        to: [mail.to],
        senderId: `<${mail.id}@livepanty.example>`,
      });
    }
  },
);

test('nothing is said to a server that does not encrypt', async () => {
  const { client, host } = await start();
  await expect(senderTo(`smtp://${host}`).send(newMail())).rejects.toMatchObject({
    outcome: 'later',
    reason: expect.stringMatching(/^(?:ETLS|STARTTLS \d+)$/),
  });
  expect(await client.list()).toEqual([]);
});

test('nothing is said to a server whose certificate nobody vouches for', async () => {
  for (const [scheme, secure] of [
    ['smtp', false],
    ['smtps', true],
  ] as const) {
    const { client, host } = await start({ secure });
    const sending = senderTo(`${scheme}://${host}`, null).send(newMail());
    await expect(sending, scheme).rejects.toMatchObject({ outcome: 'later' });
    expect(await client.list()).toEqual([]);
  }
});

test('a refused receiver is final; a server that is away, busy, or cuts the line is not', async () => {
  const { client, host } = await start();
  const sender = senderTo(`smtp://${host}?tls=none`);
  await client.setFault({ mode: 'refuse' });
  await expect(sender.send(newMail())).rejects.toMatchObject({
    outcome: 'refused',
    reason: 'RCPT TO 550',
  });
  await client.setFault({ mode: 'error' });
  await expect(sender.send(newMail())).rejects.toMatchObject({
    outcome: 'later',
    reason: 'RCPT TO 451',
  });
  await client.setFault({ mode: 'drop-answer' });
  await expect(sender.send(newMail())).rejects.toMatchObject({ outcome: 'later' });
  const away = senderTo(`smtp://127.0.0.1:${await freePort()}?tls=none`);
  await expect(away.send(newMail())).rejects.toMatchObject({ outcome: 'later' });
});

test('an address is one receiver, whatever is in it', async () => {
  const { client, host } = await start();
  const sender = senderTo(`smtp://${host}?tls=none`);
  for (const to of ['a@example.com, b@example.com', 'a@example.com>\r\nRCPT TO:<b@example.com']) {
    await sender.send(newMail(to)).catch(() => {});
  }
  const receivers = (await client.list()).flatMap((mail) => mail.to);
  expect(receivers).not.toContain('b@example.com');
});

test.each([
  ['smtps://u:p@mail.example', { port: 465, tls: 'implicit', login: { user: 'u', password: 'p' } }],
  [
    'smtp://me%40x:p%2F@mail.example:2525',
    { port: 2525, tls: 'starttls', login: { user: 'me@x', password: 'p/' } },
  ],
  ['smtp://[::1]?tls=none', { host: '::1', port: 587, tls: 'none', login: null }],
  ['smtp://mail.example?tls=off', null],
  ['smtp://mail.example?requireTLS=false', null],
  ['smtps://mail.example?tls=none', null],
  ['smtp://u@mail.example', null],
  ['http://mail.example', null],
  ['mail.example:587', null],
])('%s is read as it is meant, or not at all', (url, server) => {
  const read = parseSmtpUrl(url);
  if (server === null) expect(read).toBeNull();
  else expect(read).toMatchObject(server);
});

test('the Worker has no SMTP in it', async () => {
  const { modules } = await bundleWorker();
  const text = modules.map(({ contents }) => (typeof contents === 'string' ? contents : '')).join();
  // Not `toContain`, which would print all of it.
  expect(text.includes('/emails')).toBe(true);
  expect(/nodemailer|EHLO/.exec(text)).toBeNull();
}, 120_000);
