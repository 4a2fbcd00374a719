// Passwords: hashed and verified on the threads that Node has for it, whatever is typed.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(() => edge.close());

test('a password is known by its hash, also in another form of its letters, and no other is', async () => {
  const { passwords } = edge.parts.deps;
  const hash = await passwords.hash('Zoë and ten more\u0000');
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await passwords.verify('Zoe\u0308 and ten more\u0000', hash)).toBe(true);
  for (const other of ['Zoë and ten more', 'zoë and ten more\u0000', '\u0000', 'Z']) {
    expect(await passwords.verify(other, hash)).toBe(false);
  }
  expect(await passwords.verify('Zoë and ten more\u0000', null)).toBe(false);
});

test('a single byte is a wrong password like any other', async () => {
  const bytes = Array.from({ length: 9 }, (_, code) => String.fromCharCode(code));
  for (const [index, password] of [...bytes, ' ', 'a'].entries()) {
    const answer = await edge.call('POST', '/v1/auth/login', {
      body: { email: `nobody${index}@example.org`, password },
    });
    expect([answer.status, answer.body.code], JSON.stringify(password)).toEqual([
      401,
      'invalid-credentials',
    ]);
  }
});
