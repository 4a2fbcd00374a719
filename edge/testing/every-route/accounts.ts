// Every route of accounts: registering, logging in by password, code and passkey, devices, and the guest's age gate.
import { cookiesOf, newAddress, newKey } from '../../../testing/edge.ts';
import type { MailKind } from '../../services/mail.ts';
import { totpAt } from '../../services/totp.ts';
import { createAuthenticator } from '../authenticator.ts';
import type { Stage } from './stage.ts';

const password = 'a long enough password';
const auth = '/v1/auth';
const mailPatienceMs = 10_000;
/** More than strangers may try together. */
const strangersMax = 11;

/** What was mailed to somebody, once it is there: the secret behind the `#` of its link. */
async function linked({ edge }: Stage, email: string, kind: MailKind): Promise<{ token: string }> {
  const deadline = Date.now() + mailPatienceMs;
  for (;;) {
    try {
      return { token: (await edge.mailbox.linkFor(email, kind)).hash.slice(1) };
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

async function registered({ call }: Stage) {
  const username = `r${newKey().replaceAll('-', '').slice(0, 16)}`;
  const email = `${username}@example.com`;
  const body = { email, username, password, dateOfBirth: '1990-01-01', country: 'IN' };
  const answer = await call('POST', `${auth}/register`, { body });
  return { email, answer, token: answer.body.accessToken as string };
}

export async function sessionRoutes(stage: Stage): Promise<void> {
  const { call } = stage;
  const { email, answer, token } = await registered(stage);
  await call('POST', `${auth}/refresh`, { headers: { cookie: cookiesOf(answer) } });
  await call('GET', `${auth}/me`, { token });
  await call('POST', `${auth}/performer`, { token });
  const login = { body: { email, password } };
  const other = await call('POST', `${auth}/login`, login);
  const { devices } = (await call('GET', `${auth}/sessions`, { token })).body;
  const elsewhere = devices.find(({ current }: { current: boolean }) => !current);
  await call('DELETE', `${auth}/sessions/${elsewhere.id}`, { token });
  await call('DELETE', `${auth}/sessions`, { token });
  await call('POST', `${auth}/logout`, { headers: { cookie: cookiesOf(other) } });
  await call('POST', '/v1/guests', { body: { country: 'IN', dateOfBirth: '1990-01-01' } });
}

export async function secondFactorRoutes(stage: Stage): Promise<void> {
  const { call, edge } = stage;
  const { email, token } = await registered(stage);
  const path = `${auth}/second-factor`;
  await call('GET', path, { token });
  const { secret } = (await call('POST', `${path}/totp`, { token, body: { password } })).body;
  /** A code is taken once. Of this step and the next one, both are good also when the next one has begun. */
  const nowMs = Date.now();
  const codeOf = (step: 0 | 1) => totpAt(secret, new Date(nowMs + step * 30_000));
  const confirmed = await call('POST', `${path}/totp/confirmation`, {
    token,
    body: { code: await codeOf(0) },
  });
  await call('POST', `${path}/proof`, { token, body: { code: await codeOf(1) } });
  const proven = confirmed.body.session.accessToken;
  const fresh = await call('POST', `${path}/recovery-codes`, { token: proven });
  const [code] = fresh.body.recoveryCodes;
  const asked = await edge.call('POST', `${auth}/login`, { body: { email, password } });
  const { challengeId } = asked.body;
  await call('POST', `${path}/login`, { body: { challengeId, code } });
  await call('DELETE', `${path}/totp`, { token: proven });
}

export async function passkeyRoutes(stage: Stage): Promise<void> {
  const { call, edge } = stage;
  const { token } = await registered(stage);
  const path = `${auth}/passkeys`;
  const authenticator = createAuthenticator(edge.url);
  const asked = (await call('POST', `${path}/options`, { token, body: { password } })).body;
  const credential = authenticator.make(asked.options);
  const made = { challengeId: asked.challengeId, name: 'Phone', credential };
  await call('POST', path, { token, body: made });
  await call('GET', path, { token });
  const one = `${path}/${authenticator.id}`;
  await call('PATCH', one, { token, body: { name: 'Old phone' } });
  const login = (await call('POST', `${path}/login/options`)).body;
  await call('POST', `${path}/login`, {
    body: { challengeId: login.challengeId, credential: authenticator.show(login.options) },
  });
  const proof = (await call('POST', `${path}/proof/options`, { token })).body;
  const proven = await call('POST', `${path}/proof`, {
    token,
    body: { challengeId: proof.challengeId, credential: authenticator.show(proof.options) },
  });
  await call('DELETE', one, { token: proven.body.accessToken });
}

export async function emailRoutes(stage: Stage): Promise<void> {
  const { call } = stage;
  const { email, token } = await registered(stage);
  await call('POST', `${auth}/email/verification-mail`, { token });
  const verification = await linked(stage, email, 'verify');
  await call('POST', `${auth}/email/verification`, { token, body: verification });
  const another = `another.${email}`;
  await call('POST', `${auth}/email`, { token, body: { email: another, password } });
  const change = await linked(stage, another, 'change');
  await call('POST', `${auth}/email/change`, { token, body: change });
  await call('POST', `${auth}/email/undo`, { body: await linked(stage, email, 'changed') });
}

export async function passwordRoutes(stage: Stage): Promise<void> {
  const { call, edge } = stage;
  const { email, token } = await registered(stage);
  const verification = await linked(stage, email, 'verify');
  await call('POST', `${auth}/email/verification`, { token, body: verification });
  const newPassword = 'quite another long one';
  const change = { currentPassword: password, newPassword };
  await call('POST', `${auth}/password`, { token, body: change });
  await call('POST', `${auth}/password/reset`, { body: { email } });
  const reset = { ...(await linked(stage, email, 'reset')), password };
  await call('POST', `${auth}/password/reset/confirmation`, { body: reset });
  // Strangers use up the attempts of an account: then a mailed link logs in.
  for (let attempt = 0; attempt < strangersMax; attempt += 1) {
    await edge.call('POST', `${auth}/login`, {
      body: { email, password: 'a guess of a stranger' },
      headers: { 'x-test-address': newAddress() },
    });
  }
  await call('POST', `${auth}/login-link`, { body: await linked(stage, email, 'login') });
}

export async function ownAccountRoutes(stage: Stage): Promise<void> {
  const { call } = stage;
  const { email, token } = await registered(stage);
  const username = `s${newKey().replaceAll('-', '').slice(0, 16)}`;
  await call('PUT', '/v1/users/me/username', { token, body: { username } });
  await call('POST', '/v1/users/me/export', { token });
  const { tokens, earningsPaise } = (await call('GET', '/v1/users/me/closing', { token })).body;
  const closing = { password, givenUp: { tokens, earningsPaise } };
  await call('POST', '/v1/users/me/closing', { token, body: closing });
  const keep = await linked(stage, email, 'account-closing');
  await call('POST', `${auth}/keep-account`, { body: keep });
}
