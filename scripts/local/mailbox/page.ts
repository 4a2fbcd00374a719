// What people look at: the page, its files, the mails as JSON, and each mail's own page for the frame around it.
import { readFile } from 'node:fs/promises';
import { type Context, Hono } from 'hono';
import type { MailboxEnv } from './api.ts';
import type { MailStore } from './mail-store.ts';

const css = 'text/css; charset=utf-8';
/** Each is made of these, in this order: the product's own styles, and what the page adds to them. */
const files = {
  '/': ['text/html; charset=utf-8', 'browser/page.html'],
  '/page.js': ['text/javascript; charset=utf-8', 'browser/page.js'],
  '/page.css': [
    css,
    ...[
      'public/layers.css',
      'styles/tokens.css',
      'styles/base.css',
      'ui/logo.css',
      'ui/field.css',
    ].map((name) => `../../../client/${name}`),
    'browser/page.css',
  ],
  '/favicon.svg': ['image/svg+xml', '../../../client/public/favicon.svg'],
};

const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A mail runs no script and loads nothing; its links open elsewhere. */
const mailPolicy = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "form-action 'none'",
  "frame-ancestors 'self'",
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ');

const headers = (type: string, policy: string) => ({
  'content-type': type,
  'content-security-policy': policy,
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  // Addresses in mails are secrets.
  'referrer-policy': 'no-referrer',
});

/** The routes that need no key: whoever reads the mails of this machine sits at it. */
export function createPage(store: MailStore) {
  const page = new Hono<MailboxEnv>();
  for (const [path, [type = '', ...names]] of Object.entries(files)) {
    page.get(path, async (c) => {
      // Read each time: small, and always the newest.
      const texts = await Promise.all(
        names.map((name) => readFile(new URL(name, import.meta.url), 'utf8')),
      );
      return c.body(texts.join('\n'), 200, headers(type, pagePolicy));
    });
  }

  return page
    .get('/mails', (c) => {
      const etag = `"${store.version}"`;
      if (c.req.header('if-none-match') === etag) return c.body(null, 304, { etag });
      return c.json({ mails: store.list(c.req.query('to')) }, 200, {
        etag,
        'cache-control': 'no-cache',
      });
    })
    .get('/mails/:id/html', (c) => {
      const mail = store.find(c.req.param('id'));
      if (!mail?.html) return notFound(c);
      const withTarget = mail.html.replace(/<head>/i, '<head><base target="_blank">');
      return c.body(withTarget, 200, headers('text/html; charset=utf-8', mailPolicy));
    });
}

const notFound = (c: Context) => c.text('There is no such mail, or it was forgotten.', 404);
