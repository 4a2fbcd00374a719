// Identifiers: every row, stream, user and message is named by a UUID.
import { z } from 'zod';

export const Id = z.uuid();
export type Id = z.infer<typeof Id>;

/** Ids of room events grow within the whole system; a client asks for what came after its last one. */
export const EventId = z.int().nonnegative();

export const IDEMPOTENCY_HEADER = 'idempotency-key';

/** One key per intended act; a retry of the same act sends the same key. */
export const IdempotencyKey = z
  .string()
  .min(8)
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/, 'letters, digits, - and _ only');

/** An instant as RFC 3339 text in UTC, of a year that the database knows. */
export const Instant = z.iso.datetime({ offset: true }).refine((text) => {
  const year = new Date(text).getUTCFullYear();
  return year >= 1 && year <= 9999;
}, 'no such year');

/** A calendar day, `YYYY-MM-DD`. There was no year 0. */
export const CalendarDate = z.iso.date().refine((text) => !text.startsWith('0000'), 'no such year');

const controlCharacters = /[^\P{Cc}\t\n\r]/u;

/** Text that people write: whole characters, no control characters but line ends and tabs. */
export const HumanText = z
  .string()
  .refine((text) => text.isWellFormed() && !controlCharacters.test(text), 'not readable text');
