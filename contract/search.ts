// Search: live streams, announced ones and performers, by words.
import { z } from 'zod';
import { Id } from './ids.ts';
import { Stream } from './streams.ts';

export const searchCharsMax = 100;
/** Of each kind. */
export const searchFoundMax = 24;

export const SearchQuery = z.object({
  q: z.string().trim().min(1).max(searchCharsMax),
  /** With streams of the class `mature`, for who has said how old they are; nobody else is shown them. */
  mature: z.enum(['true', 'false']).default('false'),
});

export const FoundPerformer = z.object({
  id: Id,
  username: z.string(),
  /** Null where they have none, or show it to others only. */
  displayName: z.string().nullable(),
  /** The public stream that they are live with. */
  liveStreamId: Id.nullable(),
});
export type FoundPerformer = z.infer<typeof FoundPerformer>;

/** Each the best first. */
export const SearchResult = z.object({
  live: z.array(Stream),
  /** Announced for later. */
  upcoming: z.array(Stream),
  performers: z.array(FoundPerformer),
});
export type SearchResult = z.infer<typeof SearchResult>;
