// Profiles: what people show of themselves, and whom they follow or shun.
import { z } from 'zod';
import { CountryCode, Username } from './accounts.ts';
import { countryCodes } from './countries.ts';
import { DisplayName, turningCharacters } from './display-names.ts';
import { HumanText, Id, Instant } from './ids.ts';
import { ScheduleEntry } from './schedule.ts';
import { Stream } from './streams.ts';

/** Who sees more of a profile than its name: everybody, everybody who is logged in, or who follows. */
export const profilePrivacies = ['public', 'members', 'followers'] as const;
const Privacy = z.enum(profilePrivacies);
export type ProfilePrivacy = z.infer<typeof Privacy>;

/** A blocked person is out of one's rooms; a muted one is not heard by oneself. */
export const relationKinds = ['follow', 'block', 'mute'] as const;
export type RelationKind = (typeof relationKinds)[number];
/** How many people somebody may follow, block or mute. */
export const relationsMax = { follow: 5_000, block: 2_000, mute: 2_000 } as const;

export const bioCharsMax = 1_000;
export const linksMax = 5;
export const linkTitleCharsMax = 40;
export const linkCharsMax = 300;

export const avatarBytesMax = 256 * 1024;
/** The sides of a picture. */
export const avatarSidePx = { min: 16, max: 2_048 } as const;

const notTurned = (text: string) => !turningCharacters.test(text);
const turnedWords = 'without characters that turn the text around';
const Bio = HumanText.trim().max(bioCharsMax).refine(notTurned, turnedWords);

/** An address of the open web: https, a name with a dot, and nothing that hides where it leads. */
function isOpenAddress(text: string): boolean {
  if (!/^https:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, port, hostname } = new URL(text);
  const isNamed = /^([a-z0-9_-]+\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(hostname);
  return protocol === 'https:' && username === '' && password === '' && port === '' && isNamed;
}

const Link = z.strictObject({
  title: HumanText.trim()
    .min(1)
    .max(linkTitleCharsMax)
    .refine((text) => notTurned(text) && !/[\t\n\r]/.test(text), turnedWords),
  url: z
    .string()
    .trim()
    .max(linkCharsMax)
    .refine(isOpenAddress, 'an address that begins with https://')
    .transform((text) => new URL(text).href),
});
export type ProfileLink = z.infer<typeof Link>;
const links = z.array(z.object({ title: z.string(), url: z.string() }));

/** What is left out stays as it is. */
export const EditProfileBody = z
  .strictObject({
    displayName: DisplayName.optional(),
    bio: Bio.optional(),
    links: z.array(Link).max(linksMax).optional(),
    privacy: Privacy.optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, { message: 'nothing is changed' });
export type EditProfileBody = z.infer<typeof EditProfileBody>;

/** A profile as its own person edits it. */
export const OwnProfile = z.object({
  username: z.string(),
  /** Empty for none. */
  displayName: z.string(),
  bio: z.string(),
  links,
  privacy: Privacy,
  avatarUrl: z.string().nullable(),
  version: z.int(),
});
export type OwnProfile = z.infer<typeof OwnProfile>;

/** Somebody by name and picture. */
export const PersonCard = z.object({
  id: Id,
  username: z.string(),
  /** The user name, for who has given no other. */
  displayName: z.string(),
  avatarUrl: z.string().nullable(),
});
export type PersonCard = z.infer<typeof PersonCard>;

export const Profile = PersonCard.extend({
  isPerformer: z.boolean(),
  /** Why no more than the name is shown; null where all of it is. */
  closed: z.enum(['members', 'followers', 'blocked']).nullable(),
  bio: z.string(),
  links,
  followers: z.int().nonnegative().nullable(),
  schedule: z.array(ScheduleEntry),
  /** What they stream now, where it may be found. */
  live: Stream.nullable(),
  /** What whoever asks is to them; null for a guest. */
  relation: z.object({ follows: z.boolean(), blocks: z.boolean(), mutes: z.boolean() }).nullable(),
});
export type Profile = z.infer<typeof Profile>;

/** An account by its id or its user name. */
export const WhoParams = z.object({ who: z.union([Id, Username]) });

export const relationsPageMax = 100;
export const ListRelationsQuery = z.object({
  cursor: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(relationsPageMax).default(50),
});
export const RelationList = z.object({
  people: z.array(PersonCard.extend({ since: Instant })),
  nextCursor: z.string().nullable(),
});
export type RelationList = z.infer<typeof RelationList>;

/** Countries in which a performer is not to be seen, as a whole: what is left out is lifted. */
export const CountryBlocks = z.strictObject({
  countries: z
    .array(CountryCode.refine((code) => countryCodes.includes(code), 'no such country'))
    .max(countryCodes.length)
    .transform((countries) => [...new Set(countries)].toSorted()),
});
