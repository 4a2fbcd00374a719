// Room events: what happened in a stream's room, stored before it is told, told to every socket.
import { z } from 'zod';
import { Role } from './accounts.ts';
import { EventId, HumanText, Id, Instant } from './ids.ts';
import { TipAmount, tipMessageCharsMax } from './money.ts';
import { StreamEndReason, StreamState } from './streams.ts';

export const chatMessageCharsMax = 500;

const common = { id: EventId, streamId: Id, at: Instant };

export const ChatMessageEvent = z.object({
  ...common,
  type: z.literal('chat.message'),
  data: z.object({
    messageId: Id,
    userId: Id,
    username: z.string(),
    role: Role,
    /** Empty for a line that was taken away. */
    body: z.string().max(chatMessageCharsMax),
    deleted: z.boolean().optional(),
  }),
});

export const ChatDeletedEvent = z.object({
  ...common,
  type: z.literal('chat.deleted'),
  data: z.object({ messageId: Id }),
});

/** `username` and `userId` are null when the tipper chose to stay anonymous. */
export const TipReceivedEvent = z.object({
  ...common,
  type: z.literal('tip.received'),
  data: z.object({
    tipId: Id,
    userId: Id.nullable(),
    username: z.string().nullable(),
    amountTokens: TipAmount,
    message: z.string().max(tipMessageCharsMax),
  }),
});

export const StreamStateEvent = z.object({
  ...common,
  type: z.literal('stream.state'),
  data: z.object({ state: StreamState, reason: StreamEndReason.nullable() }),
});

const person = z.object({ id: Id, username: z.string() });

/** The performer leads those who watch to another stream. */
export const RaidLeftEvent = z.object({
  ...common,
  type: z.literal('raid.left'),
  data: z.object({ toStreamId: Id, title: z.string(), performer: person }),
});
export type RaidLeftEvent = z.infer<typeof RaidLeftEvent>;

/** The audience of another stream is led here. */
export const RaidCameEvent = z.object({
  ...common,
  type: z.literal('raid.came'),
  data: z.object({ fromStreamId: Id, performer: person, viewers: z.int().nonnegative() }),
});

export const RoomEvent = z.discriminatedUnion('type', [
  ChatMessageEvent,
  ChatDeletedEvent,
  TipReceivedEvent,
  StreamStateEvent,
  RaidLeftEvent,
  RaidCameEvent,
]);
export type RoomEvent = z.infer<typeof RoomEvent>;

export const roomEventsPageMax = 200;
export const ListEventsQuery = z.object({
  after: z.coerce.number().int().nonnegative().optional(),
});

/** Oldest first. `resyncNeeded` says that more was missed than one page holds: show the page, drop the past. */
export const RoomEventList = z.object({
  events: z.array(RoomEvent),
  resyncNeeded: z.boolean(),
});
export type RoomEventList = z.infer<typeof RoomEventList>;

export const PostMessageBody = z.strictObject({
  body: HumanText.trim().min(1).max(chatMessageCharsMax),
});
