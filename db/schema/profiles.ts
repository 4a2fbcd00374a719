// Profiles: what people show of themselves, whom they follow or shun, and what they prefer.
import { sql } from 'drizzle-orm';
import { check, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { profilePrivacies, relationKinds } from '#contract';
import { bytes, createdAt, id, moment, oneOf, searchWords } from './columns.ts';
import { users } from './people.ts';

const ofUser = (name = 'user_id') =>
  uuid(name)
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

export const profiles = pgTable(
  'profiles',
  {
    userId: ofUser().primaryKey(),
    displayName: text('display_name').notNull().default(''),
    bio: text().notNull().default(''),
    /** `[{ title, url }]` */
    links: jsonb().notNull().default([]),
    avatarId: uuid('avatar_id'),
    privacy: text({ enum: profilePrivacies }).notNull().default('public'),
    version: integer().notNull().default(1),
    updatedAt: moment('updated_at').notNull().defaultNow(),
    search: searchWords('search').generatedAlwaysAs(
      sql`setweight(to_tsvector('simple'::regconfig, display_name), 'A') || setweight(to_tsvector('simple'::regconfig, bio), 'C')`,
    ),
  },
  (t) => [
    oneOf('profiles_privacy_known', t.privacy, profilePrivacies),
    index('profiles_search').using('gin', t.search),
  ],
);

export const avatars = pgTable(
  'avatars',
  {
    id: id(),
    userId: ofUser(),
    mediaType: text('media_type').notNull(),
    bytes: bytes().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    index('avatars_user_id').on(t.userId),
    check('avatars_small', sql`octet_length(${t.bytes}) <= 262144`),
  ],
);

/** Whom somebody follows, blocks or mutes. */
export const relations = pgTable(
  'relations',
  {
    fromId: ofUser('from_id'),
    toId: ofUser('to_id'),
    kind: text({ enum: relationKinds }).notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.fromId, t.kind, t.toId] }),
    index('relations_to').on(t.toId, t.kind),
    oneOf('relations_kind_known', t.kind, relationKinds),
    check('relations_of_two', sql`${t.fromId} <> ${t.toId}`),
  ],
);

export const preferences = pgTable('preferences', {
  userId: ofUser().primaryKey(),
  data: jsonb().notNull().default({}),
  version: integer().notNull().default(1),
});

/** Countries in which a performer does not want to be seen. */
export const countryBlocks = pgTable(
  'country_blocks',
  { performerId: ofUser('performer_id'), country: text().notNull() },
  (t) => [primaryKey({ columns: [t.performerId, t.country] })],
);

/** When a performer means to be live. */
export const schedule = pgTable(
  'schedule',
  {
    id: id(),
    performerId: ofUser('performer_id'),
    title: text().notNull(),
    category: text().notNull(),
    startsAt: moment('starts_at').notNull(),
    minutes: integer().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    index('schedule_performer').on(t.performerId, t.startsAt),
    check('schedule_minutes_sane', sql`${t.minutes} between 5 and 1440`),
  ],
);

/** From which age on people are adults, by country; where there is no row, 18. */
export const jurisdictions = pgTable('jurisdictions', {
  country: text().primaryKey(),
  adultYears: integer('adult_years').notNull(),
});
