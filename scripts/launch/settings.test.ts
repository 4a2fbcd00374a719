// Settings and ports: what does not fit is refused with a sentence that says what to do.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assertFree, freePorts, portNames } from './ports.ts';
import { loadSecrets } from './secrets.ts';
import { readSettings } from './settings.ts';

const real = {
  DATABASE_URL: 'postgres://u:p@ep-x.ap-south-1.aws.neon.tech/livepanty',
  REDIS_URL: 'rediss://default:t@x.upstash.io:6379',
  UPSTASH_REDIS_REST_URL: 'https://x.upstash.io',
  UPSTASH_REDIS_REST_TOKEN: 't',
};

test('without any variable everything is local, on the usual ports', () => {
  const settings = readSettings({});
  expect(settings).toMatchObject({
    edgeRuntime: 'workerd',
    appOrigin: 'http://localhost:8787',
    database: null,
    redisUrl: null,
    upstash: null,
    razorpay: null,
    mail: null,
  });
  expect(settings.ports).toMatchObject({ edge: 8787, sfu: 4400, media: 44_400, postgres: 54_320 });
});

test('real services take the place of local ones', () => {
  const settings = readSettings({ ...real, LIVEPANTY_PORT_EDGE: '9000', RAZORPAY_KEY_ID: '' });
  expect(settings.database).toMatchObject({ isNeon: true, ownerUrl: real.DATABASE_URL });
  expect(settings.upstash).toEqual({ url: 'https://x.upstash.io', token: 't' });
  expect(settings.appOrigin).toBe('http://localhost:9000');
  const plain = readSettings({ DATABASE_URL: 'postgres://u:p@db.example.com/x' });
  expect(plain.database?.isNeon).toBe(false);
});

test('a real mail provider takes the place of the mailbox', () => {
  const api = { MAIL_FROM: 'a@x.org', MAIL_API_URL: 'https://mail.x.org', MAIL_API_KEY: 'k' };
  expect(readSettings(api).mail).toEqual(api);
  const smtp = { MAIL_FROM: 'a@x.org', MAIL_SMTP_URL: 'smtps://u:p@mail.x.org' };
  expect(readSettings({ ...smtp, LIVEPANTY_EDGE: 'node' }).mail).toEqual(smtp);
});

test('relays, the addresses of media and other pages are handed on as they are', () => {
  const turn = { TURN_URLS: 'turn:turn.example.com', TURN_SECRET: 's'.repeat(32) };
  const mediaAddresses = {
    SFU_MEDIA_LISTEN_ADDRESS: '0.0.0.0,::',
    SFU_MEDIA_ANNOUNCED_ADDRESS: '192.0.2.4,2001:db8::4',
  };
  const callers = { API_ORIGINS: 'https://player.example.com' };
  const given = { turn, mediaAddresses, callers };
  expect(readSettings({ ...turn, ...mediaAddresses, ...callers })).toMatchObject(given);
  expect(readSettings({})).toMatchObject({ turn: {}, mediaAddresses: {}, callers: {} });
});

test.each([
  [{ TURN_URLS: 'turn:turn.example.com' }, 'TURN_SECRET must be set as well'],
  [{ MAIL_FROM: 'a@x.org' }, 'MAIL_API_URL and MAIL_API_KEY must be set as well'],
  [{ MAIL_FROM: 'a@x.org', MAIL_SMTP_URL: 'smtps://mail.x.org' }, 'workerd speaks no SMTP'],
  [{ LIVEPANTY_PORT_SFU: 'eighty' }, 'LIVEPANTY_PORT_SFU'],
  [{ LIVEPANTY_EDGE: 'php' }, 'LIVEPANTY_EDGE'],
  [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
  [{ UPSTASH_REDIS_REST_URL: 'https://x' }, 'UPSTASH_REDIS_REST_TOKEN must be set as well'],
  [{ ...real, REDIS_URL: undefined }, 'without REDIS_URL'],
  [{ RAZORPAY_KEY_ID: 'rzp_test_1' }, 'RAZORPAY_KEY_SECRET and RAZORPAY_WEBHOOK_SECRET'],
  [{ ENVIRONMENT: 'production' }, 'for development'],
])('%o is refused by name', (env, sentence) => {
  expect(() => readSettings(env)).toThrow(sentence);
});

test('a taken port is named with its part and the variable that sets it', async () => {
  const ports = await freePorts();
  expect(new Set(Object.values(ports)).size).toBe(portNames.length);
  await assertFree(ports, portNames, 0);
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(ports.sfu, '127.0.0.1', () => resolve()));
  await expect(assertFree(ports, portNames, 0)).rejects.toThrow(
    `Port ${ports.sfu}, which the SFU node needs, is taken by another program; LIVEPANTY_PORT_SFU or --port-sfu sets another one.`,
  );
  // The remains of a killed run are waited for.
  const patient = assertFree(ports, portNames, 5_000);
  squatter.close();
  await patient;
  await expect(assertFree({ ...ports, sfu: ports.edge }, portNames, 0)).rejects.toThrow(
    /share a port/,
  );
});

test('secrets are made once; a broken file is named, and never replaced', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'livepanty-secrets-'));
  const made = await loadSecrets(folder);
  expect(await loadSecrets(folder)).toEqual(made);
  // As a power cut may leave it.
  await writeFile(join(folder, 'secrets.json'), '');
  await expect(loadSecrets(folder)).rejects.toThrow(/secrets\.json is broken.*npm run reset/);
  await rm(folder, { recursive: true });
});
