// The stage: who publishes beside the performer because the performer has invited them, and what is kept from all.
import { z } from 'zod';
import { Username } from './accounts.ts';
import { Id, Instant } from './ids.ts';

/** The performer, and those whom the performer has invited. */
export const stagePublishersMax = 8;
export const stageGuestsMax = stagePublishersMax - 1;

/** What the media nodes keep from everybody, though it is published: by the host of a stage, or by staff. */
export const MediaHold = z.strictObject({ sound: z.boolean(), picture: z.boolean() });
export type MediaHold = z.infer<typeof MediaHold>;
export const nothingHeld: MediaHold = { sound: false, picture: false };

export const StageGuestState = z.enum(['invited', 'joined']);
export type StageGuestState = z.infer<typeof StageGuestState>;

export const StageGuest = z.object({
  user: z.object({ id: Id, username: z.string() }),
  state: StageGuestState,
  held: MediaHold,
  invitedAt: Instant,
});
export type StageGuest = z.infer<typeof StageGuest>;

/** Whom the performer has invited, oldest first; a guest sees themselves alone. */
export const StageGuestList = z.object({ guests: z.array(StageGuest) });

export const StageInviteBody = z.strictObject({ username: Username });
export const StageAnswerBody = z.strictObject({ accept: z.boolean() });
