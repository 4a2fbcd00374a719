// Preferences: how somebody wants the product to look, sound, and get in touch.
import { z } from 'zod';

export const themes = ['system', 'light', 'dark'] as const;
export const productLanguages = ['en', 'hi'] as const;

/** What there is to be told of. */
export const noticeKinds = ['live', 'scheduled', 'tip', 'follower', 'payment', 'payout'] as const;
export type NoticeKind = (typeof noticeKinds)[number];
/** The ways to be told. */
export const noticeChannels = ['app', 'push', 'email'] as const;
export type NoticeChannel = (typeof noticeChannels)[number];

const Channels = z.strictObject({ app: z.boolean(), push: z.boolean(), email: z.boolean() });
const usual = { app: true, push: true, email: false };
/** Money is told by mail as well unless somebody says otherwise. */
const mailed = { app: true, push: false, email: true };
const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time such as 22:30');

/** A time zone that this runtime knows by its name of the IANA database. */
function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

/** From when to when nothing rings, by the clock of a place; over midnight where it ends before it begins. */
const QuietHours = z
  .strictObject({
    from: TimeOfDay,
    to: TimeOfDay,
    timeZone: z.string().max(64).refine(isTimeZone, 'a time zone such as Asia/Kolkata'),
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'another time than the first' });

const fields = {
  theme: z.enum(themes),
  language: z.enum(productLanguages),
  /** Less that moves and flashes. */
  reducedEffects: z.boolean(),
  tipSound: z.boolean(),
  showInLeaderboards: z.boolean(),
  /** Whether a tip is anonymous unless its tipper says otherwise. */
  tipAnonymously: z.boolean(),
  quietHours: QuietHours.nullable(),
  /** Whether performers may lead their audience to one's stream. */
  acceptsRaids: z.boolean(),
  /** Whether we may write about what is new and on offer. */
  marketing: z.boolean(),
};
const kinds = {
  live: Channels,
  scheduled: Channels,
  tip: Channels,
  follower: Channels,
  payment: Channels,
  payout: Channels,
} satisfies Record<NoticeKind, typeof Channels>;

/** What is left out stays as it is; a kind of notice is given with all its channels. */
export const EditPreferencesBody = z
  .strictObject({ ...fields, notices: z.strictObject(kinds).partial() })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, { message: 'nothing is changed' });
export type EditPreferencesBody = z.infer<typeof EditPreferencesBody>;

export const Preferences = z.object({
  theme: fields.theme.default('system'),
  language: fields.language.default('en'),
  reducedEffects: z.boolean().default(false),
  tipSound: z.boolean().default(true),
  showInLeaderboards: z.boolean().default(true),
  tipAnonymously: z.boolean().default(false),
  notices: z
    .object({
      live: Channels.default(usual),
      scheduled: Channels.default(usual),
      tip: Channels.default(usual),
      follower: Channels.default({ ...usual, push: false }),
      payment: Channels.default(mailed),
      payout: Channels.default(mailed),
    })
    .prefault({}),
  quietHours: QuietHours.nullable().default(null),
  acceptsRaids: z.boolean().default(true),
  marketing: z.boolean().default(false),
});
export const VersionedPreferences = Preferences.extend({ version: z.int() });
export type VersionedPreferences = z.infer<typeof VersionedPreferences>;
