// Channels and keys: the names under which the rooms of the house meet on Redis.
import type { Id } from './ids.ts';

/** Pub/sub channel that carries the room events of one stream as JSON. */
export function roomChannel(streamId: Id): string {
  return `room:${streamId}`;
}

/** The stream that a room channel belongs to, or null if it is another kind of channel. */
export function streamOfChannel(channel: string): Id | null {
  return channel.startsWith('room:') ? channel.slice('room:'.length) : null;
}

/** Pub/sub channel on which the edge nudges transcoders: there is work, report now. */
export const transcodeNudgeChannel = 'transcode:nudge';

/** Hash of node id to `SfuNode` as JSON, written by each SFU node. */
export const sfuNodesKey = 'sfu:nodes';

/** Set once by whoever accepts the ticket, with NX, so that no second socket can. */
export function usedTicketKey(jti: string): string {
  return `ticket:used:${jti}`;
}
