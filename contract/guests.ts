// Guests: people without an account, who have said how old they are and where.
import { z } from 'zod';
import { CountryCode } from './accounts.ts';
import { CalendarDate, Id, Instant } from './ids.ts';

export const guestTtlSeconds = 30 * 24 * 3600;

export const GuestBody = z.strictObject({ country: CountryCode, dateOfBirth: CalendarDate });

/** Neither the date of birth nor anything else of the person is kept. */
export const Guest = z.object({ id: Id, country: z.string(), expiresAt: Instant });
export type Guest = z.infer<typeof Guest>;
