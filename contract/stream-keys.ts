// Stream keys: what encoders publish with in a performer's name.
import { z } from 'zod';
import { HumanText, Id, Instant } from './ids.ts';
import { RoomGrant } from './tickets.ts';

export const streamKeysMax = 10;
export const streamKeyNameCharsMax = 40;

export const ingestProtocols = ['whip', 'rtmp', 'srt'] as const;
export const IngestProtocol = z.enum(ingestProtocols);
export type IngestProtocol = z.infer<typeof IngestProtocol>;

export const StreamKeyBody = z.strictObject({
  name: HumanText.trim().min(1).max(streamKeyNameCharsMax),
  /** What it may be used for. */
  protocols: z
    .array(IngestProtocol)
    .min(1)
    .default([...ingestProtocols])
    .transform((wanted) => ingestProtocols.filter((each) => wanted.includes(each))),
});
/** As it is sent: what is left out is everything. */
export type StreamKeyBody = z.input<typeof StreamKeyBody>;

export const StreamKey = z.object({
  id: Id,
  name: z.string(),
  /** Its last characters, by which its owner knows it. */
  hint: z.string(),
  protocols: z.array(IngestProtocol),
  createdAt: Instant,
  /** To within a minute; null before its first use. */
  lastUsedAt: Instant.nullable(),
});
export type StreamKey = z.infer<typeof StreamKey>;

/** Where encoders push to: by SRT the key is put behind it. Null for a protocol that nobody listens for. */
export const IngestServers = z.object({ rtmp: z.string().nullable(), srt: z.string().nullable() });
export type IngestServers = z.infer<typeof IngestServers>;

export const StreamKeyList = z.object({ keys: z.array(StreamKey), servers: IngestServers });

/** `secret` is told once: null for a request that was sent before, whose answer told it. */
export const NewStreamKey = z.object({ key: StreamKey, secret: z.string().nullable() });
export type NewStreamKey = z.infer<typeof NewStreamKey>;

/** Without a stream it is the performer's that is on the air, else the one that they created last, which then starts. */
export const IngestBody = z.strictObject({
  protocol: IngestProtocol,
  streamId: Id.optional(),
});

/** Admits one publisher, once, to the room of the stream. */
export const IngestTicket = z.object({ streamId: Id, room: RoomGrant });
export type IngestTicket = z.infer<typeof IngestTicket>;
