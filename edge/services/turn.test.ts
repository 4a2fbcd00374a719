// TURN credentials: what coturn's scheme says, for each user alone and for a while.
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { createTurn, turnCredentialTtlSeconds } from './turn.ts';

const now = () => new Date('2026-05-01T10:00:00.900Z');
const urls = ['turn:turn.example:3478?transport=udp', 'turns:turn.example:443?transport=tcp'];
const secrets = [
  'the-new-secret-of-at-least-32-characters',
  'the-old-secret-of-at-least-32-characters',
];
const subject = '6b1f3c1a-8f04-4a71-9d55-0c3d0b1a7a11';

const turnOf = (TURN_URLS: string[], TURN_SECRET: string[]) =>
  createTurn({ TURN_URLS, TURN_SECRET }, now);

test('the name says until when and for whom, the credential is its HMAC-SHA1 by the first secret', async () => {
  const [server, ...more] = await (await turnOf(urls, secrets)).iceServersFor(subject);
  expect(more).toEqual([]);
  expect(server?.urls).toEqual(urls);
  const username = server?.username ?? '';
  expect(username).toMatch(/^\d{10}:[\w-]{22}$/);
  expect(Number.parseInt(username, 10)).toBe(
    Math.floor(now().getTime() / 1_000) + turnCredentialTtlSeconds,
  );
  const mac = (secret = '') => createHmac('sha1', secret).update(username).digest('base64');
  expect(server?.credential).toBe(mac(secrets[0]));
  expect(server?.credential).not.toBe(mac(secrets[1]));
});

test('one user is always the same to the relay, another is another, and neither is named', async () => {
  const turn = await turnOf(urls, secrets);
  const userOf = async (of: string) => (await turn.iceServersFor(of))[0]?.username.split(':')[1];
  expect(await userOf(subject)).toBe(await userOf(subject));
  expect(await userOf(subject)).not.toBe(await userOf(`guest-${subject}`));
  expect(await userOf(subject)).not.toContain(subject.slice(0, 8));
});

test('without relays there are none', async () => {
  expect(await (await turnOf([], [])).iceServersFor(subject)).toEqual([]);
});
