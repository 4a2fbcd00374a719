// The one login that the stand-in accepts: the user, password and database that it was started with.
import { equalSecrets } from '../equal-secrets.ts';

export interface Login {
  user: string;
  password: string;
  database: string;
  host: string;
  port: number;
}

/** Reads a PostgreSQL connection string; null when it is not one. */
export function parseLogin(connectionString: string): Login | null {
  if (!/^postgres(ql)?:\/\//.test(connectionString)) return null;
  const url = URL.parse(connectionString);
  if (!url) return null;
  try {
    return {
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
      host: url.hostname,
      port: Number(url.port || 5432),
    };
  } catch {
    // A broken percent escape: not a connection string.
    return null;
  }
}

/** Whether a client presents the same credentials; where it wants to go is not asked. */
export function sameLogin(given: Login, expected: Login): boolean {
  const credentials = (login: Login) =>
    JSON.stringify([login.user, login.password, login.database]);
  return equalSecrets(credentials(given), credentials(expected));
}

/** Whether a startup message names the same user and database; PostgreSQL asks for the password itself. */
export function sameIdentity(given: { user: string; database: string }, expected: Login): boolean {
  return equalSecrets(
    JSON.stringify([given.user, given.database]),
    JSON.stringify([expected.user, expected.database]),
  );
}
