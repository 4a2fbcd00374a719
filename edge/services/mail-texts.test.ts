// The mails: what people have chosen stays text in them, both parts say the same, and each fits its envelope.
import { expect, test } from 'vitest';
import type { MailContent } from './mail.ts';
import {
  accountClosingMail,
  accountErasedMail,
  changedMail,
  changeMail,
  loginMail,
  newDeviceMail,
  passwordChangedMail,
  resetMail,
  type SecurityChange,
  securityMail,
  verifyMail,
} from './mail-texts.ts';
import { createVault } from './vault.ts';

const at = new Date('2026-03-05T14:05:09Z');
/** As long as an address of ours with its secret may ever be. */
const longLink = `https://livepanty.example/account/${'x'.repeat(400)}?a=1&b=2`;
const changes: SecurityChange[] = [
  'app-added',
  'app-removed',
  'passkey-added',
  'passkey-removed',
  'codes-renewed',
  'code-used',
  'stream-key-made',
  'stream-key-rotated',
];

function allMails(username: string, link = longLink, newEmail = 'asha@example.org') {
  const to = { username, link };
  return [
    ...Object.entries({
      verify: verifyMail({ ...to, hours: 24 }),
      reset: resetMail({ ...to, minutes: 30 }),
      change: changeMail({ ...to, hours: 24 }),
      changed: changedMail({ ...to, newEmail, days: 7 }),
      password: passwordChangedMail({ ...to, at }),
      device: newDeviceMail({ ...to, device: 'Firefox on Linux', at }),
      login: loginMail({ ...to, minutes: 1 }),
      closing: accountClosingMail({ ...to, eraseAt: at }),
    }),
    ...changes.map((change) => [change, securityMail({ ...to, change, at })] as const),
  ] as [string, MailContent][];
}

test('names in mails are escaped', () => {
  const name = `"><img src=x onerror=alert(1)>&<b>`;
  const device = newDeviceMail({ username: name, link: longLink, device: name, at });
  for (const [kind, { html }] of [
    ...allMails(name, longLink, `${name}@example.org`),
    ['a device', device] as const,
    ['erased', accountErasedMail({ username: name })] as const,
  ]) {
    expect(html, kind).not.toContain('<img');
    expect(html, kind).toContain('&lt;img src=x onerror=alert(1)&gt;&amp;&lt;b&gt;');
  }
  const quoted = verifyMail({ username: 'a', link: 'https://x.example/"onclick="x', hours: 1 });
  expect(quoted.html).not.toContain('"onclick="');
});

test('both parts greet the person and hold the one link', () => {
  for (const [kind, { subject, text, html }] of allMails('asha_1')) {
    expect(subject, kind).toMatch(/^[\x20-\x7e]{10,60}$/);
    expect(text, kind).toContain('Hello asha_1,');
    expect(text.match(/https?:\S+/g), kind).toEqual([longLink]);
    const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href);
    expect(new Set(links), kind).toEqual(new Set([longLink.replaceAll('&', '&amp;')]));
    expect(html, kind).not.toMatch(/<(?:img|script|link|style)\b/);
  }
  const erased = accountErasedMail({ username: 'asha_1' });
  expect(`${erased.text}${erased.html}`).not.toContain('://');
});

test('a link is a page, and nothing that runs', () => {
  expect(() => verifyMail({ username: 'a', link: 'javascript:alert(1)', hours: 1 })).toThrow();
});

test('the longest mail of each kind can be sealed', async () => {
  const key = Buffer.alloc(32, 1).toString('base64url');
  const vault = await createVault(
    JSON.stringify([{ kid: 'a', key }]),
    Buffer.alloc(32, 2).toString('base64url'),
  );
  const to = `${'a'.repeat(64)}@${'b'.repeat(185)}.com`;
  for (const [kind, content] of allMails('u'.repeat(30), longLink, to)) {
    const letter = JSON.stringify({ to, ...content });
    await expect(vault.seal(letter, 'mail:x'), `${kind} ${letter.length}`).resolves.toBeDefined();
  }
});

test('times are said so that everybody can read them, and a new address is only hinted at', () => {
  const device = newDeviceMail({ username: 'a', link: longLink, device: '', at });
  expect(device.text).toContain('from a browser that we do not know on 5 March 2026 at 14:05 UTC');
  const changed = changedMail({ username: 'a', link: longLink, newEmail: 'asha@x.org', days: 1 });
  expect(changed.text).toContain('a•••@x.org');
  expect(changed.text + changed.html).not.toContain('asha');
  expect(changed.text).toContain('for 1 day.');
});
