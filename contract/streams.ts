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

export const CreateStreamBody = z.strictObject({
  title: HumanText.trim().min(1).max(streamTitleCharsMax),
  category: StreamCategory,
});
export type CreateStreamBody = z.infer<typeof CreateStreamBody>;

export const Stream = z.object({
  id: Id,
  title: z.string(),
  category: StreamCategory,
  state: StreamState,
  endReason: StreamEndReason.nullable(),
  performer: z.object({ id: Id, username: z.string() }),
  viewers: z.int().nonnegative(),
  thumbnailUrl: z.string().nullable(),
  createdAt: Instant,
  startedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
});
export type Stream = z.infer<typeof Stream>;

export const StreamList = z.object({
  streams: z.array(Stream),
  nextCursor: z.string().nullable(),
});

export const streamsPageMax = 50;
export const ListStreamsQuery = z.object({
  category: StreamCategory.optional(),
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(streamsPageMax).default(24),
});

export const ListOwnStreamsQuery = ListStreamsQuery.omit({ category: true });
