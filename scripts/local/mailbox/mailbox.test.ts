// The mailbox: speaks the provider's protocol, keeps so many mails, shows them safely, and stays out of production.
import { randomUUID } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { pino } from 'pino';
import type { Browser, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startBrowser } from '../../../testing/browser.ts';
import { nodeCommand, startChild } from '../../launch/child.ts';
import { freePort } from '../../launch/free-port.ts';
import { createMailboxClient, type MailboxClient } from './client.ts';
import { readMime } from './mime.ts';
import { type Mailbox, startMailbox } from './server.ts';

const apiKey = 'a-key-for-tests';
const mailsMax = 5;

let mailbox: Mailbox;
let client: MailboxClient;
let browser: Browser;
beforeAll(async () => {
  [mailbox, browser] = await Promise.all([
    startMailbox({ port: 0, smtpPort: 0, apiKey, mailsMax, log: pino({ level: 'silent' }) }),
    startBrowser(),
  ]);
  client = createMailboxClient({ url: mailbox.url, apiKey });
});
afterEach(async () => {
  await client.resetFaults();
  await client.clear();
});
afterAll(async () => {
  await browser.close();
  await mailbox.close();
});

const email = (changes: object = {}) => ({
  from: 'LivePanty <no-reply@livepanty.example>',
  to: ['asha@example.com'],
  subject: 'Hello',
  text: 'Open https://livepanty.example/verify#one now.',
  ...changes,
});

async function post(body: object, headers: Record<string, string> = {}) {
  const answer = await fetch(`${mailbox.url}/emails`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, ...headers },
    body: JSON.stringify(body),
  });
  const json: unknown = await answer.json();
  return { status: answer.status, json };
}

test('the local mailbox refuses production', async () => {
  const lines: string[] = [];
  const port = String(await freePort());
  const child = startChild(
    nodeCommand('scripts/local/mailbox/main.ts', {
      ENVIRONMENT: 'production',
      MAILBOX_PORT: port,
      MAIL_API_KEY: apiKey,
    }),
    (line) => lines.push(line),
  );
  expect((await child.ended).code).toBe(1);
  expect(lines.join('\n')).toContain('does not start when ENVIRONMENT=production');
});

test('the same key with the same body is one mail; with another body it is refused', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const first = await post(email(), headers);
  expect(first).toMatchObject({ status: 200, json: { id: expect.any(String) } });
  expect(await post(email(), headers)).toEqual(first);
  expect(await client.list()).toHaveLength(1);
  expect(await post(email({ subject: 'Another' }), headers)).toMatchObject({
    status: 409,
    json: { name: 'invalid_idempotent_request' },
  });
  await post(email());
  expect(await client.list()).toHaveLength(2);
});

test.each([
  [{ authorization: 'none' }, {}, 401, 'missing_api_key'],
  [{ authorization: 'Bearer wrong' }, {}, 403, 'invalid_api_key'],
  [{}, { to: ['nobody'] }, 422, 'validation_error'],
  [{}, { from: 'nobody' }, 422, 'validation_error'],
  [{}, { subject: undefined }, 422, 'validation_error'],
])(
  'a request that does not fit is refused in the words of the provider: %o %o',
  async (headers, changes, status, name) => {
    expect(await post(email(changes), headers as Record<string, string>)).toMatchObject({
      status,
      json: { statusCode: status, name },
    });
    expect(await client.list()).toEqual([]);
  },
);

test('its controls want the key, and a fault that it does not know is refused', async () => {
  const faults = `${mailbox.url}/mailbox/faults`;
  expect((await fetch(faults)).status).toBe(401);
  expect((await fetch(faults, { method: 'DELETE' })).status).toBe(401);
  await expect(Promise.resolve(client.setFault({ times: 0 }))).rejects.toThrow('422');
});

test('a fault hits as often as it was told to, and only whom it was told to', async () => {
  await client.setFault({ mode: 'refuse', times: 1, to: 'asha@example.com' });
  expect((await post(email({ to: 'other@example.com' }))).status).toBe(200);
  expect((await post(email())).status).toBe(422);
  expect((await post(email())).status).toBe(200);
  await client.setFault({ mode: 'error' });
  expect((await post(email())).status).toBe(500);
  await client.setFault({ mode: 'drop-answer', times: 1 });
  await expect(post(email({ subject: 'Dropped' }))).rejects.toThrow();
  expect((await client.list())[0]).toMatchObject({ subject: 'Dropped' });
});

test('it keeps so many mails, newest first, and finds those to one address', async () => {
  for (let sent = 1; sent <= mailsMax + 2; sent += 1) {
    await post(email({ subject: `Mail ${sent}`, to: `reader${sent % 2}@example.com` }));
  }
  const subjects = (await client.list()).map(({ subject }) => subject);
  expect(subjects).toEqual(['Mail 7', 'Mail 6', 'Mail 5', 'Mail 4', 'Mail 3']);
  expect((await client.list('READER0@example.com')).map(({ subject }) => subject)).toEqual([
    'Mail 6',
    'Mail 4',
  ]);
});

test('what comes over SMTP is read as it was written, whatever alphabet it is in', async () => {
  const transport = createTransport({ ...hostOf(mailbox.smtpUrl), ignoreTLS: true });
  const long = 'नमस्ते ₹500 — a line that is longer than any line of a mail may be. '.repeat(8);
  const mail = {
    from: 'LivePanty <no-reply@livepanty.example>',
    to: 'asha@example.com',
    subject: 'आपका खाता: your account = € and more, more, more of it, so that it wraps',
    text: `${long}\n\n.\nFrom here\n`,
    html: `<p>${long}</p>\n`,
  };
  await transport.sendMail(mail);
  expect(await client.list()).toMatchObject([
    { via: 'smtp', subject: mail.subject, text: mail.text, html: mail.html },
  ]);
});

test('a mail in a single part, or in a broken one, is still a mail', () => {
  expect(readMime('Subject: Plain\r\n\r\nJust text.')).toMatchObject({
    subject: 'Plain',
    text: 'Just text.',
    html: null,
    messageId: null,
  });
  expect(readMime('')).toMatchObject({ subject: '', text: '' });
  expect(readMime('Content-Type: multipart/mixed; boundary="x"\n\n--x\n\nopen')).toMatchObject({
    text: 'open',
  });
});

test('the page lists mails, shows links to click, and runs nothing of a mail', async () => {
  const page = await browser.newPage();
  const faults = watch(page);
  await page.goto(mailbox.url);
  await page.getByText('No mail yet').waitFor();
  const html = `<html><head></head><body><p>Dear reader</p><script>parent.document.title='run'</script>
    <img src="${mailbox.url}/favicon.svg"><a href="https://livepanty.example/x">go</a></body></html>`;
  await post(email({ subject: '<b>Not bold</b>', html }));
  await page.getByRole('link', { name: '<b>Not bold</b>' }).click();
  await page.frameLocator('iframe').getByText('Dear reader').waitFor();
  const target = await page
    .frameLocator('iframe')
    .getByRole('link')
    .evaluate((link) => {
      const { target, href } = link as HTMLAnchorElement;
      return [target || link.ownerDocument.querySelector('base')?.target, href];
    });
  expect(target).toEqual(['_blank', 'https://livepanty.example/x']);
  expect(await page.title()).toBe('Mailbox · LivePanty');
  expect(faults.some((fault) => /Content Security Policy|sandboxed/i.test(fault))).toBe(true);
  await page.getByRole('button', { name: 'Text' }).click();
  const link = page.getByRole('link', { name: 'https://livepanty.example/verify#one' });
  expect(await link.getAttribute('href')).toBe('https://livepanty.example/verify#one');
  await page.close();
});

/** What the browser complains of. */
function watch(page: Page): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return faults;
}

function hostOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
