// Streams: their life from created to ended, and the bodies of the routes about them.
import { z } from 'zod';
import { HumanText, Id, Instant } from './ids.ts';

export const streamTitleCharsMax = 100;

export const StreamState = z.enum(['created', 'starting', 'live', 'ended']);
export type StreamState = z.infer<typeof StreamState>;

/** Which state may follow which; anything else is an `invalid-transition`. */
export const streamTransitions: Record<StreamState, readonly StreamState[]> = {
  created: ['starting', 'ended'],
  starting: ['live', 'ended'],
  live: ['ended'],
  ended: [],
};

export const StreamEndReason = z.enum(['performer', 'staff', 'media-lost', 'never-started']);
export type StreamEndReason = z.infer<typeof StreamEndReason>;

export const streamCategories = [
  'music',
  'talk',
  'games',
  'dance',
  'cooking',
  'art',
  'fitness',
] as const;
export const StreamCategory = z.enum(streamCategories);
export type StreamCategory = z.infer<typeof StreamCategory>;

/** `unlisted` is for who has its address, `followers` for who follows its performer, `ticketed` for who has an entry. */
export const visibilities = ['public', 'unlisted', 'followers', 'ticketed'] as const;
export const Visibility = z.enum(visibilities);
export type Visibility = z.infer<typeof Visibility>;

/** What a stream shows; where a class may be seen is a table of its own. */
export const contentClasses = ['general', 'mature'] as const;
export const ContentClass = z.enum(contentClasses);

const title = HumanText.trim().min(1).max(streamTitleCharsMax);
export const tagsMax = 10;
export const tagCharsMax = 24;
/** Lower-cased, so that one tag is one: letters and digits of any language, and hyphens within. */
export const Tag = z
  .string()
  .trim()
  .toLowerCase()
  .max(tagCharsMax)
  .regex(
    /^[\p{L}\p{M}\p{N}]+(-[\p{L}\p{M}\p{N}]+)*$/u,
    'letters, digits, and hyphens between them',
  );
const Tags = z
  .array(Tag)
  .max(tagsMax)
  .transform((tags) => [...new Set(tags)]);
/** ISO 639-1. */
export const Language = z.string().regex(/^[a-z]{2}$/, 'two letters, as in ISO 639-1');
export const entryTokensMax = 10_000;
const EntryTokens = z.int().min(1).max(entryTokensMax);
/** A stream may be announced so far ahead. */
export const scheduledDaysMax = 180;

const isPriced = (stream: { visibility?: Visibility; entryTokens?: number | null | undefined }) =>
  (stream.visibility === 'ticketed') === (stream.entryTokens != null);
const pricedWords = {
  path: ['entryTokens'],
  message: 'what an entry costs, for ticketed streams alone',
};

export const CreateStreamBody = z
  .strictObject({
    title,
    category: StreamCategory,
    tags: Tags.default([]),
    language: Language.nullable().default(null),
    contentClass: ContentClass.default('general'),
    visibility: Visibility.default('public'),
    entryTokens: EntryTokens.nullable().default(null),
    scheduledAt: Instant.nullable().default(null),
  })
  .refine(isPriced, pricedWords);
/** As it is sent: what is left out is usual. */
export type CreateStreamBody = z.input<typeof CreateStreamBody>;

/** What is left out stays as it is. */
export const EditStreamBody = z
  .strictObject({
    title: title.optional(),
    category: StreamCategory.optional(),
    tags: Tags.optional(),
    language: Language.nullable().optional(),
    contentClass: ContentClass.optional(),
    visibility: Visibility.optional(),
    entryTokens: EntryTokens.nullable().optional(),
    scheduledAt: Instant.nullable().optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, { message: 'nothing is changed' });
export type EditStreamBody = z.infer<typeof EditStreamBody>;

const Person = z.object({ id: Id, username: z.string() });

export const Stream = z.object({
  id: Id,
  title: z.string(),
  category: StreamCategory,
  tags: z.array(z.string()),
  language: z.string().nullable(),
  contentClass: ContentClass,
  visibility: Visibility,
  /** What an entry to a ticketed stream costs; null for all others. */
  entryTokens: z.int().nullable(),
  scheduledAt: Instant.nullable(),
  /** Counts the changes of what its performer says of it. */
  version: z.int(),
  state: StreamState,
  endReason: StreamEndReason.nullable(),
  performer: Person,
  viewers: z.int().nonnegative(),
  thumbnailUrl: z.string().nullable(),
  createdAt: Instant,
  startedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
});
export type Stream = z.infer<typeof Stream>;

export const RaidBody = z.strictObject({ to: Id });
/** An audience that is led to another stream; `viewers` is how many watch. */
export const Raid = z.object({
  fromStreamId: Id,
  toStreamId: Id,
  viewers: z.int().nonnegative(),
});
export type Raid = z.infer<typeof Raid>;

/** What whoever buys an entry believes that it costs. */
export const EntryBody = z.strictObject({ entryTokens: EntryTokens });
export const Entry = z.object({ streamId: Id, entryTokens: z.int().nullable() });
export const ModeratorList = z.object({ moderators: z.array(Person) });

export const roomBanMinutesMax = 30 * 24 * 60;
/** `silenced` may watch and not talk; `banned` may do neither. For good where no minutes are said. */
export const RoomBanBody = z.strictObject({
  kind: z.enum(['silenced', 'banned']),
  minutes: z.int().min(1).max(roomBanMinutesMax).nullable().default(null),
});

export const StreamList = z.object({
  streams: z.array(Stream),
  nextCursor: z.string().nullable(),
});

/** By when they began, by who watches, by what they were tipped since they began. */
export const liveSorts = ['viewers', 'tips', 'newest'] as const;
export const LiveSort = z.enum(liveSorts);
export type LiveSort = z.infer<typeof LiveSort>;

export const streamsPageMax = 50;
const pageLimit = z.coerce.number().int().min(1).max(streamsPageMax).default(24);
const cursor = z.string().max(200).optional();
export const ListStreamsQuery = z.object({
  category: StreamCategory.optional(),
  tag: Tag.optional(),
  language: Language.optional(),
  sort: LiveSort.default('newest'),
  /** With streams of the class `mature`, for who has said how old they are; nobody else is shown them. */
  mature: z.enum(['true', 'false']).default('false'),
  cursor,
  limit: pageLimit,
});
/** As it is sent, a page of the usual length. */
export type ListStreamsQuery = Omit<z.input<typeof ListStreamsQuery>, 'limit'>;

export const ListOwnStreamsQuery = z.object({ cursor, limit: pageLimit });
