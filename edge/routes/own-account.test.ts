// One's own account: closed with open eyes, had back for a while, and erased for good after that.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DataExport } from '#contract';
import { verifyBooks } from '#db';
import { newKey, type Person, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { eraseClosedAccounts } from '../jobs/erasure.ts';
import { tidy } from '../jobs/tidy.ts';
import { createAccountActs, password } from '../testing/accounts.ts';
import { createCast, refused } from '../testing/cast.ts';

let edge: TestEdge;
let acts: ReturnType<typeof createAccountActs>;
let cast: ReturnType<typeof createCast>;
beforeAll(async () => {
  edge = await startTestEdge();
  acts = createAccountActs(edge);
  cast = createCast(edge);
});
afterAll(() => edge.close());

const nothing = { tokens: 0, earningsPaise: 0 };
const close = (person: Pick<Person, 'call'>, givenUp = nothing, word = password) =>
  person.call('POST', '/v1/users/me/closing', { body: { password: word, givenUp } });
const closing = async (person: Pick<Person, 'call'>) =>
  (await person.call('GET', '/v1/users/me/closing')).body;
const idOf = ({ session }: Person) => session.user.id;
const lapse = (userId: string) =>
  edge.database.asOwner(`update users set erase_at = now() - interval '1 minute' where id = $1`, [
    userId,
  ]);
const one = async (statement: string, values: unknown[]) =>
  (await edge.database.asOwner(statement, values))[0];
async function closed(): Promise<Person> {
  const person = await edge.register();
  expect((await close(person)).status).toBe(200);
  return person;
}

describe('another name', () => {
  const rename = (person: Pick<Person, 'call'>, username: string) =>
    person.call('PUT', '/v1/users/me/username', { body: { username } });
  const register = (username: string) =>
    acts.post('/register', {
      email: `${username}-${Date.now()}@example.com`,
      username,
      password,
      dateOfBirth: '1990-05-05',
      country: 'IN',
    });
  const later = (id: string) =>
    edge.database.asOwner(
      `with n as (update former_usernames set kept_until = now() - interval '1 second' where user_id = $1)
        update users set username_changed_at = now() - interval '31 days' where id = $1`,
      [id],
    );

  test('is taken once in thirty days, and nobody else gets the one of before until then', async () => {
    const person = await edge.register();
    const before = person.session.user.username;
    const now = `n${before.slice(1)}`;
    const answer = await rename(person, now);
    expect(answer.status).toBe(200);
    expect(answer.body.user.username).toBe(now);
    expect(refused(await rename(person, `m${before.slice(1)}`))).toEqual([
      409,
      'username-changed-lately',
    ]);
    expect(refused(await register(before.toUpperCase()))).toEqual([409, 'username-taken']);
    expect(refused(await rename(await edge.register(), before))).toEqual([409, 'username-taken']);
    await later(idOf(person));
    await tidy(edge.parts.deps);
    expect((await register(before)).status).toBe(201);
  });

  test('of before is had back by whoever had it', async () => {
    const person = await edge.register();
    const before = person.session.user.username;
    await rename(person, `n${before.slice(1)}`);
    await edge.database.asOwner(
      `update users set username_changed_at = now() - interval '31 days' where id = $1`,
      [idOf(person)],
    );
    expect((await rename(person, before)).body.user?.username).toBe(before);
  });

  test('that looks like ours is refused, at registration too', async () => {
    expect(refused(await rename(await edge.register(), 'Supp0rt'))).toEqual([
      409,
      'username-reserved',
    ]);
    expect(refused(await register('L1vePanty'))).toEqual([409, 'username-reserved']);
  });

  test('that somebody has, in whatever case, is refused', async () => {
    const [one, other] = [await edge.register(), await edge.register()];
    const taken = other.session.user.username.toUpperCase();
    expect(refused(await rename(one, taken))).toEqual([409, 'username-taken']);
  });
});

describe('closing', () => {
  test('needs the password, ends all sessions, and says when it is erased', async () => {
    const person = await edge.register();
    expect(await closing(person)).toEqual({ ...nothing, obstacle: null, eraseDays: 30 });
    expect(refused(await close(person, nothing, 'not the password'))).toEqual([
      403,
      'password-wrong',
    ]);
    const answer = await close(person);
    expect(answer.status).toBe(200);
    const days = (Date.parse(answer.body.eraseAt) - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(30, 2);
    expect((await person.call('GET', '/v1/auth/me')).status).toBe(401);
    expect((await acts.refresh(person.cookie)).body.code).toBe('session-expired');
    const mail = await edge.mailbox.newest(acts.emailOf(person));
    expect(mail.subject).toBe('Your account is going to be erased');
    expect(await one('select ended_for from sessions where user_id = $1', [idOf(person)])).toEqual({
      ended_for: 'closed',
    });
  });

  test('needs a second factor that was just shown, where there is one', async () => {
    const person = await edge.register();
    await acts.enrol(person);
    expect(refused(await close(person))).toEqual([403, 'step-up-needed']);
  });

  test('takes nobody’s tokens or earnings that they do not know of', async () => {
    const person = await edge.register('performer');
    const { tokens } = await edge.buyTokens(person);
    await cast.earn([idOf(person)], 12_345);
    const left = { tokens, earningsPaise: 12_345 };
    expect(await closing(person)).toMatchObject(left);
    for (const known of [nothing, { ...left, tokens: 0 }, { ...left, earningsPaise: 12_344 }]) {
      const answer = await close(person, known);
      expect(refused(answer)).toEqual([409, 'not-closable']);
      expect(answer.body).toMatchObject({ ...left, obstacle: 'left-behind' });
    }
    expect((await close(person, left)).status).toBe(200);
  });

  test('waits for streams, payouts and refunds that are under way; staff are not closed at all', async () => {
    const { performer } = await edge.goLive();
    expect((await close(performer)).body.obstacle).toBe('live-stream');
    const person = await edge.register();
    const [order] = await edge.database.asOwner<{ id: string }>(
      `insert into payout_accounts (performer_id, kind, sealed_details, mask, details_hash, usable_from)
        values ($1, 'upi', 'x', 'x', 'x', now()) returning id`,
      [idOf(person)],
    );
    await edge.database.asOwner(
      `insert into payouts (performer_id, payout_account_id, amount_paise, tds_paise, tds_section, tds_rate_bp, state,
          approvals_needed, idempotency_key, request_journal_id)
        values ($1, $2, 100, 0, 'x', 0, 'sending', 0, 'key-of-payout', uuid_v7())`,
      [idOf(person), order?.id],
    );
    expect((await close(person)).body.obstacle).toBe('open-payout');
    await edge.database.asOwner(`delete from payouts where performer_id = $1`, [idOf(person)]);
    const buyer = await edge.register();
    const { gatewayOrderId } = await edge.buyTokens(buyer);
    await edge.database.asOwner(
      `insert into refunds (gateway_payment_id, user_id, tokens, net_paise, gst_paise, taken_net_paise, taken_gst_paise,
          state, reason, idempotency_key)
        select p.gateway_payment_id, o.user_id, 1, 1, 0, 1, 0, 'requested', 'x', 'key-of-refund'
          from payments p join orders o on o.id = p.order_id where o.gateway_order_id = $1`,
      [gatewayOrderId],
    );
    expect((await close(buyer)).body.obstacle).toBe('open-refund');
    await edge.database.asOwner(`delete from refunds where user_id = $1`, [idOf(buyer)]);
    expect((await close(await edge.register('admin'))).body.obstacle).toBe('staff');
  });

  test('whatever a token says, a closed account does nothing and is given nothing', async () => {
    const fan = await cast.fan();
    const { performer, streamId } = await cast.live();
    const set = `update users set erase_at = now() + interval '1 day' where id = $1`;
    await edge.database.asOwner(set, [fan.id]);
    const tip = () => fan.act('POST', '/v1/tips', { streamId, amountTokens: 1 });
    expect(refused(await tip())).toEqual([403, 'account-closing']);
    const { body: offer } = await edge.call('GET', '/v1/payments/packages');
    expect(
      refused(await fan.act('POST', '/v1/payments/orders', { packageId: offer.packages[0].id })),
    ).toEqual([403, 'account-closing']);
    await edge.database.asOwner('update users set erase_at = null where id = $1', [fan.id]);
    await edge.database.asOwner(set, [performer.id]);
    expect(refused(await tip())).toEqual([409, 'performer-unavailable']);
  });
});

describe('having it back', () => {
  test('by the link in the mail, once', async () => {
    const person = await closed();
    const token = await acts.tokenFor(acts.emailOf(person), 'account-closing');
    expect((await acts.post('/keep-account', { token })).status).toBe(204);
    expect(refused(await acts.post('/keep-account', { token }))).toEqual([410, 'link-over']);
    expect((await acts.logIn(acts.emailOf(person))).status).toBe(200);
  });

  test('by logging in and saying so; a wrong password does not tell that it is closed', async () => {
    const person = await closed();
    const email = acts.emailOf(person);
    expect((await acts.logIn(email, 'a wrong password')).body.code).toBe('invalid-credentials');
    const offered = await acts.logIn(email);
    expect(refused(offered)).toEqual([403, 'account-closing']);
    expect(Date.parse(offered.body.eraseAt)).toBeGreaterThan(Date.now());
    const answer = await acts.post('/login', { email, password, keepAccount: true });
    expect(answer.status).toBe(200);
    expect(await one('select erase_at from users where id = $1', [idOf(person)])).toEqual({
      erase_at: null,
    });
    const token = await acts.tokenFor(email, 'account-closing');
    expect(refused(await acts.post('/keep-account', { token }))).toEqual([410, 'link-over']);
  });

  test('takes the second factor as well, where there is one', async () => {
    const person = await edge.register();
    const nextCode = await acts.enrol(person);
    await edge.database.asOwner(
      `update users set erase_at = now() + interval '1 day' where id = $1`,
      [idOf(person)],
    );
    const asked = await acts.post('/login', {
      email: acts.emailOf(person),
      password,
      keepAccount: true,
    });
    expect(refused(asked)).toEqual([401, 'second-factor-needed']);
    expect(
      (await one('select erase_at from users where id = $1', [idOf(person)]))?.erase_at,
    ).not.toBe(null);
    const { challengeId } = asked.body;
    const code = await nextCode();
    const answer = await acts.post('/second-factor/login', {
      challengeId,
      code,
      keepAccount: true,
    });
    expect(answer.status).toBe(200);
  });
});

/** Somebody who has left traces everywhere, and whose time has come. */
async function withTraces() {
  const person = await edge.register('performer');
  const id = idOf(person);
  const { username, email } = person.session.user;
  await edge.buyTokens(person);
  const { streamId } = await edge.goLive();
  const keyed = (path: string, body: object) =>
    person.call('POST', path, { body, headers: { 'idempotency-key': newKey() } });
  for (const body of [`first words of ${username}`, `second words of ${username}`]) {
    expect((await keyed(`/v1/streams/${streamId}/messages`, { body })).status).toBe(201);
  }
  await keyed('/v1/tips', { streamId, amountTokens: 5, message: 'words beside a tip' });
  await keyed('/v1/streams', {
    title: `The show of ${username}`,
    category: 'music',
    tags: ['mine'],
  });
  await acts.enrol(person);
  const fan = await cast.member();
  await edge.database.asOwner(
    `with p as (insert into profiles (user_id, display_name, bio) values ($1, 'Name of ' || $3, 'Life of ' || $3)),
      a as (insert into avatars (user_id, media_type, bytes) values ($1, 'image/png', '\\x00')),
      f as (insert into preferences (user_id, data) values ($1, '{"a": 1}')),
      r as (insert into relations (from_id, to_id, kind) values ($1, $2, 'follow'), ($2, $1, 'follow')),
      k as (insert into passkeys (credential_id, user_id, public_key, sign_count, backed_up, name)
        values (convert_to($1::text, 'UTF8'), $1, '\\x00', 0, false, 'My key'))
      insert into payout_accounts (performer_id, kind, sealed_details, mask, details_hash, registered_name, usable_from)
        values ($1, 'upi', 'sealed', 'a••••@upi', 'hash', 'Bank name of ' || $3, now())`,
    [id, fan.id, username],
  );
  await lapse(id);
  return { person, id, username, email, streamId };
}

describe('a copy of everything', () => {
  const exportOf = (person: Pick<Person, 'call'>) => person.call('POST', '/v1/users/me/export');

  test('holds what somebody has told, said and paid, and nothing that is sealed or logs in', async () => {
    const { person, id, username } = await withTraces();
    await edge.database.asOwner('update users set erase_at = null where id = $1', [id]);
    await edge.database.asOwner('delete from totp_factors where user_id = $1', [id]);
    await edge.database.asOwner('delete from passkeys where user_id = $1', [id]);
    const { status, body, headers } = await exportOf(person);
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="livepanty-[-0-9]+\.json"$/,
    );
    expect(DataExport.parse(body)).toMatchObject({
      account: { email: acts.emailOf(person), dateOfBirth: '1990-05-05' },
      profile: { displayName: `Name of ${username}`, bio: `Life of ${username}` },
      preferences: { a: 1 },
      relations: [{ kind: 'follow' }],
      chatLines: [{ body: `second words of ${username}` }, { body: `first words of ${username}` }],
      tipsGiven: [{ tokens: 5, message: 'words beside a tip' }],
      orders: [{ state: 'paid' }],
      statement: [{ kind: 'tip' }, { kind: 'purchase' }],
      streams: [{ category: 'music', tags: ['mine'] }],
      payoutAccounts: [{ mask: 'a••••@upi' }],
      avatars: [{ mediaType: 'image/png', base64: 'AA==' }],
      cutOff: [],
    });
    expect(JSON.stringify(body)).not.toMatch(/sealed|\$argon2id|hash/i);
  });

  test('leaves out no table in which people stand, but for those with a reason', async () => {
    const without: Record<string, string> = {
      // What would log somebody in, or its traces.
      challenges: 'secret',
      mail_tokens: 'secret',
      recovery_codes: 'secret',
      totp_factors: 'told as secondFactors',
      // Of the books: told as the statement, tips, orders and payouts.
      accounts: 'books',
      lots: 'books',
      reservations: 'books',
      goals: 'books',
      goal_contributions: 'books',
      promotions: 'books',
      tip_totals: 'books',
      audit_performers: 'books',
      disputed_earnings: 'books',
      former_pans: 'told as taxProfile',
      // Of the safety of others.
      payout_holds: 'safety',
      guests: 'safety',
    };
    const rows = await edge.database.asOwner<{ name: string }>(
      `select distinct table_name as name from information_schema.columns
        where table_schema in ('public', 'ledger') and column_name in
          ('user_id', 'performer_id', 'viewer_id', 'owner_id', 'from_id', 'to_id', 'actor_id')
          and table_name in (select table_name from information_schema.tables where table_type = 'BASE TABLE')`,
    );
    const [text] = await edge.database.asOwner<{ body: string }>(
      `select string_agg(prosrc, ' ') as body from pg_proc
        where proname like 'export_of%' or proname in ('tips_given', 'factors_of', 'limits_json')`,
    );
    const missing = rows
      .map(({ name }) => name)
      .filter((name) => !without[name] && !new RegExp(`\\b${name}\\b`).test(text?.body ?? ''));
    expect(missing).toEqual([]);
  });

  test('needs a second factor that was just shown, where there is one, and is made a few times a day', async () => {
    const person = await edge.register();
    const statuses: number[] = [];
    for (let turn = 0; turn < 6; turn += 1) statuses.push((await exportOf(person)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    const careful = await edge.register();
    await acts.enrol(careful);
    expect(refused(await exportOf(careful))).toEqual([403, 'step-up-needed']);
  });
});

describe('erasure', () => {
  test('leaves nothing of the person but what the law wants kept, and a proof', async () => {
    const { id, username, email, streamId } = await withTraces();
    expect((await eraseClosedAccounts(edge.parts.deps)).erased).toBe(1);
    const user = await one('select * from users where id = $1', [id]);
    expect(user).toMatchObject({
      email: expect.stringMatching(/^erased:[0-9a-f]{16}@erased\.invalid$/),
      username: expect.stringMatching(/^erased:[0-9a-f]{16}$/),
      password_hash: '',
      email_verified_at: null,
    });
    expect(user?.erased_at).not.toBeNull();
    // Every table but those of the books, the audit trail and the history of mails.
    const tables = await edge.database.asOwner<{ name: string }>(
      `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
        where table_type = 'BASE TABLE' and table_schema in ('public', 'ledger')`,
    );
    const kept: string[] = [];
    for (const { name } of tables) {
      const found = await one(
        `select exists (select from ${name} t where t::text ilike any ($1)) as there`,
        [[`%${username}%`, `%${email}%`]],
      );
      if (found?.there) kept.push(name);
    }
    expect(kept).toEqual([]);
    for (const table of [
      'profiles',
      'avatars',
      'preferences',
      'passkeys',
      'totp_factors',
      'recovery_codes',
      'sessions',
      'known_devices',
      'mail_tokens',
    ]) {
      expect(
        await one(`select count(*)::int from ${table} where user_id = $1`, [id]),
        table,
      ).toEqual({
        count: 0,
      });
    }
    expect(
      await one('select count(*)::int from relations where $1 in (from_id, to_id)', [id]),
    ).toEqual({ count: 0 });
    // What a room was told is told without them; what the books say stays.
    const told = await edge.call('GET', `/v1/streams/${streamId}/events`);
    expect(JSON.stringify(told.body)).not.toContain(username);
    expect(
      await one(
        'select mask, sealed_details, registered_name from payout_accounts where performer_id = $1',
        [id],
      ),
    ).toEqual({
      mask: 'a••••@upi',
      sealed_details: '',
      registered_name: null,
    });
    expect(await one('select count(*)::int from orders where user_id = $1', [id])).toEqual({
      count: 1,
    });
    const proof = await one(
      `select details from audit_log where action = 'account.erased' and subject = $1`,
      [id],
    );
    expect(proof?.details).toMatchObject({
      gone: {
        profiles: 1,
        avatars: 1,
        relations: 2,
        passkeys: 1,
        totp_factors: 1,
        recovery_codes: 10,
        chatLines: 2,
      },
      kept: { orders: 1, tipsGiven: 1 },
      accountHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const now = await one(
      `select encode(sha256(convert_to(to_jsonb(u)::text, 'UTF8')), 'hex') as hash from users u where id = $1`,
      [id],
    );
    expect(now?.hash).toBe(proof?.details.accountHash);
    expect((await edge.mailbox.newest(email)).subject).toBe('Your account was erased');
    expect(await verifyBooks(edge.database.db)).toEqual([]);
  });

  test('happens once, also where a round died in the middle or two run at once', async () => {
    const { id, email } = await withTraces();
    let checks = 0;
    const dies = {
      check() {
        checks += 1;
        if (checks === 2) throw new Error('the lease is lost');
      },
    };
    await expect(eraseClosedAccounts(edge.parts.deps, dies)).rejects.toThrow('the lease is lost');
    expect((await one('select erased_at from users where id = $1', [id]))?.erased_at).toBeNull();
    const rounds = await Promise.all([
      eraseClosedAccounts(edge.parts.deps),
      eraseClosedAccounts(edge.parts.deps),
    ]);
    expect(rounds.map(({ erased }) => erased).toSorted()).toEqual([0, 1]);
    expect((await eraseClosedAccounts(edge.parts.deps)).erased).toBe(0);
    const proofs = await edge.database.asOwner(
      `select from audit_log where action = 'account.erased' and subject = $1`,
      [id],
    );
    expect(proofs).toHaveLength(1);
    const last = (await edge.mailbox.list(email)).filter(
      ({ subject }) => subject === 'Your account was erased',
    );
    expect(last).toHaveLength(1);
  });

  test('spares whoever has it back, and whose time has not come', async () => {
    const waiting = await closed();
    const back = await closed();
    const token = await acts.tokenFor(acts.emailOf(back), 'account-closing');
    await lapse(idOf(back));
    // Its last moment: the account is due, and its person is quicker.
    await acts.post('/keep-account', { token });
    expect((await eraseClosedAccounts(edge.parts.deps)).erased).toBe(0);
    for (const person of [waiting, back]) {
      expect((await one('select email from users where id = $1', [idOf(person)]))?.email).toBe(
        acts.emailOf(person),
      );
    }
  });

  test('frees the address and leaves nobody to log in', async () => {
    const person = await closed();
    await lapse(idOf(person));
    await eraseClosedAccounts(edge.parts.deps);
    const email = acts.emailOf(person);
    expect((await acts.logIn(email)).body.code).toBe('invalid-credentials');
    const erased = await one('select email from users where id = $1', [idOf(person)]);
    // What stands in its place is no address.
    expect((await acts.logIn(String(erased?.email))).body.code).toBe('invalid-request');
    const again = await acts.post('/register', {
      email,
      username: person.session.user.username,
      password,
      dateOfBirth: '1990-05-05',
      country: 'IN',
    });
    expect(again.status).toBe(201);
  });
});
