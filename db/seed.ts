// Demo accounts: a viewer, a performer and an admin with random passwords, for a local stack and never for production.
import { randomBytes } from 'node:crypto';
import { eq, inArray } from 'drizzle-orm';
import { isStaff, type Role } from '#contract';
import type { Db } from './connect.ts';
import { totpFactors, users } from './schema/index.ts';
import { createUser } from './users.ts';

export interface DemoAccount {
  email: string;
  username: string;
  password: string;
  role: Role;
  /** Of the authenticator that is asked for a code at the log-in (base32); staff cannot do without one. */
  authenticatorSecret?: string;
}

const demoPeople: Pick<DemoAccount, 'email' | 'username' | 'role'>[] = [
  { email: 'viewer@demo.test', username: 'DemoViewer', role: 'viewer' },
  { email: 'performer@demo.test', username: 'DemoPerformer', role: 'performer' },
  { email: 'admin@demo.test', username: 'DemoAdmin', role: 'admin' },
];

/** Adds the demo accounts and answers their passwords; null when they exist, for nobody can read them again. */
export async function seedDemo(
  db: Db,
  options: {
    environment: 'development' | 'production';
    hashPassword: (password: string) => Promise<string>;
    newAuthenticator: (userId: string) => Promise<{ secret: string; sealedSecret: string }>;
  },
): Promise<DemoAccount[] | null> {
  if (options.environment === 'production') {
    throw new Error('demo accounts are not made in production');
  }
  const emails = demoPeople.map(({ email }) => email);
  const found = await db.select({ id: users.id }).from(users).where(inArray(users.email, emails));
  if (found.length > 0) return null;
  const accounts: DemoAccount[] = [];
  for (const { role, ...person } of demoPeople) {
    const password = randomBytes(12).toString('base64url');
    const { id } = await createUser(db, {
      ...person,
      passwordHash: await options.hashPassword(password),
      dateOfBirth: '1990-01-01',
      country: 'IN',
    });
    await db.update(users).set({ role, emailVerifiedAt: new Date() }).where(eq(users.id, id));
    const account = { ...person, role, password };
    if (!isStaff(role)) {
      accounts.push(account);
      continue;
    }
    const { secret, sealedSecret } = await options.newAuthenticator(id);
    await db.insert(totpFactors).values({ userId: id, sealedSecret, confirmedAt: new Date() });
    accounts.push({ ...account, authenticatorSecret: secret });
  }
  return accounts;
}
