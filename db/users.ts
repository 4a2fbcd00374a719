// Users: accounts by id and by e-mail.
import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { users } from './schema/index.ts';

export type User = typeof users.$inferSelect;

/** Adds a viewer's account. Refuses `email-taken` and `username-taken`. */
export async function createUser(
  db: Db,
  user: Pick<User, 'email' | 'username' | 'passwordHash' | 'dateOfBirth' | 'country'>,
): Promise<User> {
  const id = await callFunction(
    db,
    sql`select to_jsonb(create_user(${user.email}, ${user.username}, ${user.passwordHash},
      ${user.dateOfBirth}::date, ${user.country})) as result`,
    Id,
  );
  const made = await findUserById(db, id);
  if (!made) throw new Error('the account that was made is not there');
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
  const became = await callFunction(
    db,
    sql`select to_jsonb(become_performer(${identity.userId}, ${identity.sessionId})) as result`,
    z.boolean(),
  );
  return became ? findUserById(db, identity.userId) : null;
}
