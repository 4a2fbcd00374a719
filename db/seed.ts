// Demo accounts: one of each role with random passwords, for a local stack and never for production.
import { randomBytes } from 'node:crypto';
import { eq, inArray } from 'drizzle-orm';
import type { Role } from '#contract';
import type { Db } from './connect.ts';
import { users } from './schema/index.ts';
import { createUser } from './users.ts';

export interface DemoAccount {
  email: string;
  username: string;
  password: string;
  role: Role;
}

const demoPeople: Omit<DemoAccount, 'password'>[] = [
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
  },
): Promise<DemoAccount[] | null> {
  if (options.environment === 'production') {
    throw new Error('demo accounts are not made in production');
  }
  const emails = demoPeople.map(({ email }) => email);
  const found = await db.select({ id: users.id }).from(users).where(inArray(users.email, emails));
  if (found.length > 0) return null;
  const accounts = demoPeople.map((person) => ({
    ...person,
    password: randomBytes(12).toString('base64url'),
  }));
  for (const { password, role, ...person } of accounts) {
    const { id } = await createUser(db, {
      ...person,
      passwordHash: await options.hashPassword(password),
      dateOfBirth: '1990-01-01',
      country: 'IN',
    });
    await db.update(users).set({ role, emailVerifiedAt: new Date() }).where(eq(users.id, id));
  }
  return accounts;
}
