// Users: accounts by id and by e-mail.
import { and, eq, getTableColumns, gt, isNull, sql } from 'drizzle-orm';
import type { Role } from '#contract';
import type { Db } from './connect.ts';
import { refusing } from './refusal.ts';
import { sessions, users } from './schema/index.ts';

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

/**
 * Makes a viewer a performer; other roles stay as they are. Null when the session has ended: an access
 * token that outlives it must not be exchanged for a new one.
 */
export async function becomePerformer(
  db: Db,
  identity: { userId: string; sessionId: string },
): Promise<User | null> {
  const [user] = await db
    .update(users)
    .set({ role: sql`case ${users.role} when 'viewer' then 'performer' else ${users.role} end` })
    .from(sessions)
    .where(
      and(
        eq(users.id, identity.userId),
        eq(sessions.userId, users.id),
        eq(sessions.id, identity.sessionId),
        isNull(sessions.revokedAt),
        gt(sessions.expiresAt, sql`now()`),
      ),
    )
    .returning(getTableColumns(users));
  return user ?? null;
}
