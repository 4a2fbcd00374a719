// What holds for every route: bad bodies, tokens, headers, the documents of the API.
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newSigningKeys, startTestEdge, type TestEdge } from '../testing/edge.ts';
import { createApp } from './app.ts';
import { createSigner } from './services/signer.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(async () => {
  await edge.close();
});

test('malformed JSON, another media type, a huge body: each is refused as a problem and counted', async () => {
  const send = (body: string, type = 'application/json') =>
    edge.call('POST', '/v1/auth/login', { body, headers: { 'content-type': type } });
  expect((await send('{"email": ')).body).toMatchObject({ code: 'malformed-body', status: 400 });
  expect((await send('email=x', 'application/x-www-form-urlencoded')).body.code).toBe(
    'unsupported-media-type',
  );
  expect((await send(JSON.stringify({ email: 'x'.repeat(100_000) }))).body.code).toBe(
    'body-too-large',
  );
  expect((await send('[]')).body.code).toBe('invalid-request');
  const counted = edge.parts.deps.counters.read();
  for (const code of ['malformed-body', 'unsupported-media-type', 'body-too-large']) {
    expect(counted[code]).toBeGreaterThanOrEqual(1);
  }
});

test('an address that cannot be decoded is not found, and nobody’s fault', async () => {
  expect((await edge.call('GET', '/%')).status).toBe(404);
});

test('a page of the client answers its addresses, but never a file that is not there', async () => {
  const asked: string[] = [];
  const page = async (request: Request) => {
    asked.push(new URL(request.url).pathname);
    return new Response('<!doctype html>', {
      headers: { 'content-type': 'text/html; charset=utf-8' },
    });
  };
  const app = createApp(edge.parts.deps, page);
  const runtime = { defer: () => {}, socketAddress: '127.0.0.1' };
  const status = async (path: string) =>
    (await app.request(path, { method: 'GET' }, runtime)).status;
  expect(await status('/watch/anything')).toBe(200);
  expect(asked).toEqual(['/watch']);
  expect(await status('/assets/index-of-yesterday.js')).toBe(404);
});

test('files with a hash in their name are kept for good, pages and missing files are asked for again', async () => {
  const file = async (request: Request) =>
    request.url.endsWith('/gone.js')
      ? new Response('', { status: 404, headers: { 'content-type': 'text/plain' } })
      : new Response('x', { headers: { 'content-type': 'text/javascript' } });
  const app = createApp(edge.parts.deps, file);
  const runtime = { defer: () => {}, socketAddress: '127.0.0.1' };
  const cacheOf = async (path: string) =>
    (await app.request(path, { method: 'GET' }, runtime)).headers.get('cache-control');
  expect(await cacheOf('/assets/index-abc.js')).toContain('immutable');
  expect(await cacheOf('/assets/gone.js')).toBe('no-cache');
  expect(await cacheOf('/head.js')).toBe('no-cache');
});

test('an unknown address is a problem for programs', async () => {
  const answer = await edge.call('GET', '/v1/nothing');
  expect(answer.status).toBe(404);
  expect(answer.body.code).toBe('not-found');
});

test('a token that is tampered with, expired, of another key or for another audience says nothing about who asks', async () => {
  const person = await edge.register();
  const good = person.session.accessToken;
  const [head, body, signature] = good.split('.');
  const unsigned = `${btoa('{"alg":"none"}')}.${body}.`;
  const symmetric = await new SignJWT({ role: 'admin' })
    .setProtectedHeader({ alg: 'HS256', kid: 'test' })
    .setAudience('api')
    .setIssuer('livepanty')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode('x'.repeat(32)));
  const identity = {
    userId: person.session.user.id,
    username: 'x',
    role: 'admin' as const,
    sessionId: crypto.randomUUID(),
    revision: 0,
    secondFactorAt: null,
  };
  const foreign = await createSigner(await newSigningKeys(), () => new Date());
  const past = await createSigner(
    edge.env.SIGNING_KEYS ?? '',
    () => new Date(Date.now() - 3_600_000),
  );
  const { ticket } = await edge.parts.deps.signer.hlsTicket({
    subject: identity.userId,
    sessionId: identity.sessionId,
    revision: 0,
    streamId: crypto.randomUUID(),
  });
  const bad = [
    'nonsense',
    unsigned,
    symmetric,
    `${head}.${body}.${signature?.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`,
    (await foreign.accessToken(identity)).token,
    (await past.accessToken(identity)).token,
    ticket,
  ];
  for (const token of bad) {
    const answer = await edge.call('GET', '/v1/auth/me', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect([answer.status, answer.body.code], token.slice(0, 40)).toEqual([401, 'unauthenticated']);
  }
  expect((await person.call('GET', '/v1/auth/me')).status).toBe(200);
});

test('the OpenAPI document lists every route with its answers, and the pages show them', async () => {
  const { body } = await edge.call('GET', '/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining(['/v1/auth/register', '/v1/tips', '/v1/streams/{id}/tickets']),
  );
  const tip = body.paths['/v1/tips'].post;
  expect(tip.requestBody.content['application/json'].schema).toBeDefined();
  expect(tip.responses['201'].content['application/json'].schema).toBeDefined();
  expect(tip.responses['409'].description).toContain('insufficient-balance');
  for (const [path, methods] of Object.entries<Record<string, { responses?: object }>>(
    body.paths,
  )) {
    for (const [method, operation] of Object.entries(methods)) {
      const statuses = Object.keys(operation.responses ?? {});
      expect(
        statuses.some((status) => status.startsWith('2')),
        `${method} ${path}`,
      ).toBe(true);
    }
  }
  const page = await edge.call('GET', '/docs');
  expect(page.body).toContain('/v1/streams/{id}/tickets');
  expect((await edge.call('GET', '/docs/problems')).body).toContain('insufficient-balance');
});

test('pages carry a content security policy without inline scripts or styles', async () => {
  const { headers } = await edge.call('GET', '/docs');
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toContain('unsafe-inline');
  expect(policy).toContain('ws://127.0.0.1:1');
});

test('health says that the process lives, readiness that the database answers', async () => {
  expect((await edge.call('GET', '/healthz')).body.ok).toBe(true);
  const ready = await edge.call('GET', '/readyz');
  expect(ready.body).toMatchObject({
    ok: true,
    checks: { database: { ok: true }, redis: { ok: true } },
  });
});
