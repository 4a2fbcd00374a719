// The fields that several requests share, read with Razorpay's rules and refused in its words.
import { z } from 'zod';
import { badField } from './refusal.ts';

const notesMax = 15;
const noteCharsMax = 256;

/** Digits in a string are an integer to Razorpay. */
export function parseInteger(field: string, given: unknown): number {
  const value = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw badField(field, `The ${field} must be an integer.`);
  }
  return value;
}

/** A string of at most `charsMax`; null when it is missing. */
export function parseText(field: string, given: unknown, charsMax: number): string | null {
  if (given === undefined || given === null) return null;
  if (typeof given !== 'string') throw badField(field, `The ${field} must be a string.`);
  if (given.length > charsMax) {
    throw badField(field, `The ${field} may not be greater than ${charsMax} characters.`);
  }
  return given;
}

/** A string that has to be there. */
export function requireText(field: string, given: unknown, charsMax: number): string {
  const text = parseText(field, given, charsMax);
  if (text === null || text === '') throw badField(field, `The ${field} field is required.`);
  return text;
}

/** Notes are an object, or an empty list when there are none: so Razorpay answers. */
export const Notes = z.union([z.record(z.string(), z.string()), z.tuple([])]);
export type Notes = z.infer<typeof Notes>;

export function parseNotes(given: unknown): Notes {
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0)) {
    return [];
  }
  const parsed = z.record(z.string(), z.union([z.string(), z.number()])).safeParse(given);
  if (!parsed.success) throw badField('notes', 'The notes must be an array.');
  const entries = Object.entries(parsed.data).map(([key, value]) => [key, String(value)] as const);
  if (entries.length > notesMax) {
    throw badField(
      'notes',
      `Number of fields in notes should be less than or equal to ${notesMax}`,
    );
  }
  if (entries.some(([, value]) => value.length > noteCharsMax)) {
    throw badField(
      'notes',
      `notes value should be less than or equal to ${noteCharsMax} characters`,
    );
  }
  return entries.length > 0 ? Object.fromEntries(entries) : [];
}
