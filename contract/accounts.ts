// Accounts: who somebody is, and the bodies of registering, logging in and refreshing.
import { z } from 'zod';
import { looksLikeStaff } from './display-names.ts';
import { CalendarDate, Id, Instant } from './ids.ts';

export const passwordCharsMin = 10;
export const passwordCharsMax = 128;

export const roles = [
  'viewer',
  'performer',
  'moderator',
  'finance',
  'compliance',
  'admin',
] as const;
export const Role = z.enum(roles);
export type Role = z.infer<typeof Role>;

/** Lower-cased and trimmed, so that one mailbox is one account. */
export const Email = z
  .string()
  .max(254)
  .transform((text) => text.trim().toLowerCase())
  .pipe(z.email());

export const Username = z
  .string()
  .min(3)
  .max(24)
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'a letter first, then letters, digits and _');

export const Password = z.string().min(passwordCharsMin).max(passwordCharsMax);

/** ISO 3166-1 alpha-2. */
export const CountryCode = z.string().regex(/^[A-Z]{2}$/, 'two capital letters, as in ISO 3166-1');

export const RegisterBody = z.strictObject({
  email: Email,
  username: Username.refine(
    (name) => !looksLikeStaff(name),
    'this name passes for one of our staff',
  ),
  password: Password,
  dateOfBirth: CalendarDate,
  country: CountryCode,
});
export type RegisterBody = z.infer<typeof RegisterBody>;

export const LoginBody = z.strictObject({
  email: Email,
  password: z.string().min(1).max(passwordCharsMax),
});

export const Me = z.object({
  id: Id,
  email: z.string(),
  username: z.string(),
  role: Role,
  country: z.string(),
  createdAt: Instant,
});
export type Me = z.infer<typeof Me>;

/** A log-in on one device. */
export const Device = z.object({
  id: Id,
  /** What the device calls itself, such as `Firefox on Linux`; empty when it says nothing. */
  device: z.string(),
  methods: z.array(z.string()),
  createdAt: Instant,
  lastSeenAt: Instant,
  /** Whether it is the one that asks. */
  current: z.boolean(),
});
export const DeviceList = z.object({ devices: z.array(Device) });

/** A short access token for the Authorization header; the refresh token travels in an HttpOnly cookie. */
export const Session = z.object({
  accessToken: z.string(),
  expiresAt: Instant,
  user: Me,
});
export type Session = z.infer<typeof Session>;
