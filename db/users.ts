// Users: accounts by id, and what a log-in is checked against.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id, Me } from '#contract';
import { hex } from './bytes.ts';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Adds a viewer's account. Refuses `email-taken` and `username-taken`. */
export async function createUser(
  db: Db,
  user: {
    email: string;
    username: string;
    passwordHash: string;
    /** `YYYY-MM-DD` */
    dateOfBirth: string;
    country: string;
  },
): Promise<Me> {
  return callFunction(
    db,
    sql`select create_user(${user.email}, ${user.username}, ${user.passwordHash},
      ${user.dateOfBirth}::date, ${user.country}) as result`,
    Me,
  );
}

/** An account as its own person sees it; null when there is none (any more). */
export async function findAccount(db: Db, userId: string): Promise<Me | null> {
  return callFunction(db, sql`select account_of(${userId}) as result`, Me.nullable());
}

const Login = z.object({
  userId: Id,
  passwordHash: z.string(),
  /** Whether a password alone logs nobody in. */
  hasSecondFactor: z.boolean(),
  /** Whether somebody has logged in from this browser before. */
  isKnownDevice: z.boolean(),
  /** When the account is going to be erased; null for one that is not closed. */
  eraseAt: z.string().nullable(),
});

/** What a log-in is checked against. `email` must be normalised, as the contract's `Email` does. */
export async function findLogin(
  db: Db,
  email: string,
  deviceHash: Uint8Array,
): Promise<z.infer<typeof Login> | null> {
  return callFunction(
    db,
    sql`select login_of(${email}, decode(${hex(deviceHash)}, 'hex')) as result`,
    Login.nullable(),
  );
}
