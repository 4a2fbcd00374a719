// Users: accounts by id and by e-mail.
import { eq } from 'drizzle-orm';
import type { Role } from '#contract';
import type { Db } from './connect.ts';
import { refusing } from './refusal.ts';
import { users } from './schema/index.ts';

export type User = typeof users.$inferSelect;

/** Adds an account. Refuses `email-taken` and `username-taken`. */
export async function createUser(
  db: Db,
  user: Pick<User, 'email' | 'username' | 'passwordHash' | 'dateOfBirth' | 'country'> & {
    role?: Role;
  },
): Promise<User> {
  const [made] = await refusing(db.insert(users).values(user).returning());
  if (!made) throw new Error('the insert returned no row');
  return made;
}

export async function findUserById(db: Db, userId: string): Promise<User | null> {
  const [user] = await db.select().from(users).where(eq(users.id, userId)).limit(1);
  return user ?? null;
}

/** `email` must be normalised, as the contract's `Email` does. */
export async function findUserByEmail(db: Db, email: string): Promise<User | null> {
  const [user] = await db.select().from(users).where(eq(users.email, email)).limit(1);
  return user ?? null;
}

export async function setUserRole(db: Db, userId: string, role: Role): Promise<User | null> {
  const [user] = await db.update(users).set({ role }).where(eq(users.id, userId)).returning();
  return user ?? null;
}
