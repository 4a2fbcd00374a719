// The configuration: what is wrong with it is said at once, and what is for tests stays out of production.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestEdge, type TestEdge } from '../testing/edge.ts';
import { httpMailOf, readConfig } from './config.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(() => edge.close());

const faultOf = (changes: Record<string, string | undefined>) => {
  try {
    readConfig({ ...edge.env, ...changes });
    return null;
  } catch (error) {
    return String(error);
  }
};

test('every name that is missing is in one error', () => {
  const fault = faultOf({ DATABASE_URL: undefined, LEDGER_KEYS: undefined, HASH_KEY: undefined });
  for (const name of ['DATABASE_URL', 'LEDGER_KEYS', 'HASH_KEY']) expect(fault).toContain(name);
});

test('a payout account is whole, or left out', () => {
  const none = {
    RAZORPAYX_KEY_ID: undefined,
    RAZORPAYX_KEY_SECRET: undefined,
    RAZORPAYX_ACCOUNT_NUMBER: undefined,
  };
  expect(faultOf({})).toBeNull();
  expect(faultOf(none)).toBeNull();
  for (const name of Object.keys(none)) {
    expect(faultOf({ [name]: undefined }), name).toContain(name);
    expect(faultOf({ ...none, [name]: 'x' }), name).not.toBeNull();
  }
});

test('a webhook has one secret, or two during a rotation', () => {
  expect(readConfig(edge.env).RAZORPAY_WEBHOOK_SECRET).toHaveLength(1);
  const both = readConfig({ ...edge.env, RAZORPAY_WEBHOOK_SECRET: 'new, old' });
  expect(both.RAZORPAY_WEBHOOK_SECRET).toEqual(['new', 'old']);
  for (const secrets of ['', ',', 'a,', 'a,b,c']) {
    expect(faultOf({ RAZORPAY_WEBHOOK_SECRET: secrets }), secrets).toContain('WEBHOOK_SECRET');
  }
});

test('production has no failpoints and nothing that is not encrypted', () => {
  const production = {
    ENVIRONMENT: 'production',
    APP_ORIGIN: 'https://example.com',
    RAZORPAY_API_URL: 'https://api.razorpay.com',
    RAZORPAY_CHECKOUT_URL: 'https://checkout.razorpay.com/v1/checkout.js',
    MAIL_API_URL: 'https://mail.example.com',
  };
  expect(faultOf(production)).toBeNull();
  expect(faultOf({ ...production, FAILPOINTS: 'tip.posted' })).toContain('FAILPOINTS');
  for (const name of ['APP_ORIGIN', 'RAZORPAY_API_URL', 'RAZORPAY_CHECKOUT_URL', 'MAIL_API_URL']) {
    expect(faultOf({ ...production, [name]: 'http://example.com' }), name).toContain(name);
  }
});

test('whom to believe about addresses is said as a whole', () => {
  const [header, proxies] = ['CLIENT_ADDRESS_HEADER', 'TRUSTED_PROXIES'];
  const none = { [header]: undefined, [proxies]: undefined };
  expect(faultOf(none)).toBeNull();
  expect(faultOf({ ...none, [header]: 'x-forwarded-for' })).toContain(proxies);
  expect(faultOf({ ...none, [proxies]: '10.0.0.0/8' })).toContain(header);
  expect(faultOf({ [proxies]: '10.0.0.0/8, everybody' })).toContain('neither an address');
});

const noMail = { MAIL_API_URL: undefined, MAIL_API_KEY: undefined };

test('mail goes one way, and that way is whole', () => {
  const smtp = { ...noMail, MAIL_SMTP_URL: 'smtp://user:secret@mail.example.com' };
  expect(faultOf(smtp)).toBeNull();
  expect(faultOf(noMail)).toContain('MAIL_API_URL');
  expect(faultOf({ MAIL_API_URL: undefined })).toContain('MAIL_API_URL');
  expect(faultOf({ MAIL_API_KEY: undefined })).toContain('MAIL_API_KEY');
  expect(faultOf({ ...smtp, MAIL_API_URL: 'https://mail.example.com' })).toContain('MAIL_');
  expect(faultOf({ MAIL_SMTP_URL: smtp.MAIL_SMTP_URL })).toContain('MAIL_SMTP_URL');
  const fault = faultOf({ ...noMail, MAIL_SMTP_URL: 'smtp://user:secret@mail.example.com?tls=no' });
  expect(fault).toContain('MAIL_SMTP_URL');
  expect(fault).not.toContain('secret');
});

test('it is said whom mails are from, and nobody else can be added to it', () => {
  for (const from of ['LivePanty <no-reply@example.com>', 'no-reply@example.com']) {
    expect(faultOf({ MAIL_FROM: from }), from).toBeNull();
  }
  const wrong = [
    undefined,
    '',
    'LivePanty',
    'a@example.com, b@example.com',
    'A <a@x.org>\r\nBcc: b@x.org',
  ];
  for (const from of wrong) expect(faultOf({ MAIL_FROM: from }), from).toContain('MAIL_FROM');
});

test('in production mail is encrypted, and Workers need a provider with HTTP', () => {
  const production = {
    ...noMail,
    ENVIRONMENT: 'production',
    APP_ORIGIN: 'https://example.com',
    RAZORPAY_API_URL: 'https://api.razorpay.com',
    RAZORPAY_CHECKOUT_URL: 'https://checkout.razorpay.com/v1/checkout.js',
  };
  const plain = { ...production, MAIL_SMTP_URL: 'smtp://mail.example.com?tls=none' };
  expect(faultOf(plain)).toContain('MAIL_SMTP_URL: must be encrypted');
  // STARTTLS, without which nothing is sent.
  const encrypted = { ...production, MAIL_SMTP_URL: 'smtp://mail.example.com' };
  expect(faultOf(encrypted)).toBeNull();
  expect(() => httpMailOf(readConfig({ ...edge.env, ...encrypted }))).toThrow(/MAIL_API_URL/);
  expect(httpMailOf(readConfig(edge.env))).toEqual({
    apiUrl: edge.mailbox.url,
    apiKey: edge.mailbox.apiKey,
    from: edge.env.MAIL_FROM,
  });
});

test('relays are addresses of relays, and come with a secret', () => {
  const secret = 'a-secret-of-the-relays-with-32-characters';
  const relays = (TURN_URLS: string, TURN_SECRET: string) => ({ TURN_URLS, TURN_SECRET });
  const urls = [
    'turn:turn.example.com:3478?transport=udp',
    'turn:192.0.2.1',
    'turns:[2001:db8::1]:443?transport=tcp',
  ];
  const { TURN_URLS, TURN_SECRET } = readConfig({
    ...edge.env,
    ...relays(urls.join(', '), `${secret}, ${secret}-of-before`),
  });
  expect(TURN_URLS).toEqual(urls);
  expect(TURN_SECRET).toEqual([secret, `${secret}-of-before`]);
  expect(readConfig(edge.env).TURN_URLS).toEqual([]);

  expect(faultOf(relays('turn:a', ''))).toContain('TURN_SECRET: is missing');
  expect(faultOf(relays('', secret))).toContain('TURN_URLS: is missing');
  const wrong = [
    'stun:turn.example.com',
    'https://turn.example.com',
    'turn:user@turn.example.com',
    'turn:turn.example.com?transport=sctp',
    'turn:',
    Array.from({ length: 5 }, (_, n) => `turn:turn-${n}.example.com`).join(','),
  ];
  for (const url of wrong) expect(faultOf(relays(url, secret)), url).toContain('TURN_URLS');
  const short = faultOf(relays('turn:a', 'too-short-to-be-a-secret'));
  expect(short).toContain('TURN_SECRET');
  expect(short).not.toContain('too-short');
});
