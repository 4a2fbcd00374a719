// Accounts: who somebody is, and the bodies of registering, logging in and refreshing.
import { z } from 'zod';
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

/** As it was typed it may be longer: what is written in several ways counts as the shortest (NFKC). */
const typedCharsMax = passwordCharsMax * 4;
const TypedPassword = z
  .string()
  .max(typedCharsMax)
  .transform((text) => text.normalize('NFKC'));

/** A new one: any characters, and no rules of which (NIST SP 800-63B). */
export const Password = TypedPassword.pipe(z.string().min(passwordCharsMin).max(passwordCharsMax));
/** One that is to be compared with what was chosen. */
export const PasswordAttempt = TypedPassword.pipe(z.string().min(1).max(passwordCharsMax));

/** ISO 3166-1 alpha-2. */
export const CountryCode = z.string().regex(/^[A-Z]{2}$/, 'two capital letters, as in ISO 3166-1');

export const RegisterBody = z.strictObject({
  email: Email,
  username: Username,
  password: Password,
  dateOfBirth: CalendarDate,
  country: CountryCode,
});
export type RegisterBody = z.infer<typeof RegisterBody>;

/** Whether an account that is closed is to be had back by this log-in. */
export const KeepAccount = z.boolean().optional();

export const LoginBody = z.strictObject({
  email: Email,
  password: PasswordAttempt,
  keepAccount: KeepAccount,
});

/** Where a mailed link leads: to a page of the client, with the secret behind the `#`, which no server sees. */
export const linkPages = {
  verify: '/confirm-email',
  reset: '/reset-password',
  change: '/new-email',
  undo: '/undo-email',
  login: '/login-link',
  keep: '/keep-account',
} as const;
export type LinkPurpose = keyof typeof linkPages;

/** The secret of a mailed link: 256 bits as base64url. */
const LinkToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'the secret of a link');
export const LinkBody = z.strictObject({ token: LinkToken });
export const ResetPasswordBody = z.strictObject({ token: LinkToken, password: Password });

export const UsernameBody = z.strictObject({ username: Username });

export const EmailBody = z.strictObject({ email: Email });
export const ChangeEmailBody = z.strictObject({ email: Email, password: PasswordAttempt });
export const ChangePasswordBody = z.strictObject({
  currentPassword: PasswordAttempt,
  newPassword: Password,
});

export const Me = z.object({
  id: Id,
  email: z.string(),
  username: z.string(),
  /** Whether they have shown that the mailbox is theirs; until then they may look round only. */
  emailVerified: z.boolean(),
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

/** What stands in the way of closing an account. */
export const closingObstacles = [
  'staff',
  'live-stream',
  'open-payout',
  'open-refund',
  'open-dispute',
  'left-behind',
] as const;

/** What somebody leaves behind in a closed account. */
const LeftBehind = z.object({
  tokens: z.int().nonnegative(),
  earningsPaise: z.int().nonnegative(),
});

/** What somebody should know before they close their account. */
export const Closing = LeftBehind.extend({
  /** Null when it can be closed now. */
  obstacle: z.enum(closingObstacles).nullable(),
  /** It is erased after so many days, and can be had back until then. */
  eraseDays: z.int().positive(),
});
export type Closing = z.infer<typeof Closing>;

/** `givenUp` is all that is left behind: nobody loses what they do not know of. */
export const CloseAccountBody = z.strictObject({
  password: PasswordAttempt,
  givenUp: LeftBehind.strict(),
});
export type CloseAccountBody = z.infer<typeof CloseAccountBody>;

export const ClosedAccount = z.object({ eraseAt: Instant });
