// Columns that many tables share.
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { bigint, type CheckBuilder, check, customType, timestamp, uuid } from 'drizzle-orm/pg-core';

/** A primary key that grows with time, so that indexes stay dense (RFC 9562, version 7). */
export function id() {
  return uuid().primaryKey().default(sql`uuid_v7()`);
}

/** A point in time. */
export function moment(name: string) {
  return timestamp(name, { withTimezone: true });
}

/** When the row was made. */
export function createdAt() {
  return moment('created_at').notNull().defaultNow();
}

/** A whole number of paise, tokens, rows or the like. */
export function count(name: string) {
  return bigint(name, { mode: 'number' });
}

/**
 * Like count(), never below zero. Its type is a domain: a CHECK of the table would say the same, but its text is
 * parsed anew by every statement that writes a row.
 */
export const quantity = customType<{ data: number; driverData: string | number }>({
  dataType: () => 'ledger.quantity',
  fromDriver: Number,
});

/** Like quantity(), and never zero. */
export const positive = customType<{ data: number; driverData: string | number }>({
  dataType: () => 'ledger.positive',
  fromDriver: Number,
});

export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array | string }>({
  dataType: () => 'bytea',
});

/** Words to be found by (full-text search). */
export const searchWords = customType<{ data: string }>({ dataType: () => 'tsvector' });

/** A transaction id that never wraps around. */
export const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

/** A CHECK that a text column holds one of these words. */
export function oneOf(name: string, column: SQLWrapper, words: readonly string[]): CheckBuilder {
  const list: SQL = sql.raw(words.map((word) => `'${word}'`).join(', '));
  return check(name, sql`${column} in (${list})`);
}
