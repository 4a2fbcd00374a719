// Columns that many tables share.
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { type CheckBuilder, check, uuid } from 'drizzle-orm/pg-core';

/** A primary key that grows with time, so that indexes stay dense (RFC 9562, version 7). */
export function id() {
  return uuid().primaryKey().default(sql`uuid_v7()`);
}

/** A CHECK that a text column holds one of these words. */
export function oneOf(name: string, column: SQLWrapper, words: readonly string[]): CheckBuilder {
  const list: SQL = sql.raw(words.map((word) => `'${word}'`).join(', '));
  return check(name, sql`${column} in (${list})`);
}
