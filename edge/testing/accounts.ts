// Accounts for tests: what people do about them from browsers of their own, and the links that they are mailed.
import { cookiesOf, newAddress, type Person, type TestEdge } from '../../testing/edge.ts';
import type { MailKind } from '../services/mail.ts';
import { totpAt } from '../services/totp.ts';

/** Of everybody who registers in a test. */
export const password = 'a long enough password';

export function createAccountActs(edge: TestEdge) {
  /** Every code of an app is taken once: the next one comes half a minute later. */
  let aheadMs = 0;

  /** A request of nobody who is logged in, from a line of its own. */
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    edge.call('POST', `/v1/auth${path}`, {
      body,
      headers: { 'x-test-address': newAddress(), ...headers },
    });

  return {
    post,

    emailOf: ({ session }: Person): string => session.user.email,

    logIn: (email: string, word = password, headers: Record<string, string> = {}) =>
      post('/login', { email, password: word }, headers),

    /** The secret of a link, which stands behind the `#`. */
    async tokenFor(to: string, kind: MailKind): Promise<string> {
      return (await edge.mailbox.linkFor(to, kind)).hash.slice(1);
    },

    refresh: (cookie: string) => edge.call('POST', '/v1/auth/refresh', { headers: { cookie } }),

    /** Gives somebody an authenticator app. Answers what makes its next code. */
    async enrol(person: Person): Promise<() => Promise<string>> {
      const path = '/v1/auth/second-factor/totp';
      edge.parts.deps.now = () => new Date(Date.now() + aheadMs);
      const { secret } = (await person.call('POST', path, { body: { password } })).body;
      const nextCode = () => {
        aheadMs += 30_000;
        return totpAt(secret, edge.parts.deps.now());
      };
      const answer = await person.call('POST', `${path}/confirmation`, {
        body: { code: await nextCode() },
      });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
      return nextCode;
    },

    /** Lets the time of a link be over. */
    async expire(userId: string): Promise<void> {
      await edge.database.asOwner(
        `update mail_tokens set expires_at = now() - interval '1 second'
          where user_id = $1 and used_at is null`,
        [userId],
      );
    },

    cookiesOf,
  };
}
