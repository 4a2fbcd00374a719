// Order in rooms: moderators, who is silenced or banned, and lines that are taken away.
import { sql } from 'drizzle-orm';
import type { z } from 'zod';
import { ModeratorList, Revocation, RoomEvent } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Makes somebody a moderator of a stream, or no more. Refuses `not-found`, `forbidden`, `invalid-request`. */
export async function setModerator(
  db: Db,
  moderator: { streamId: string; performerId: string; userId: string; is: boolean },
): Promise<Revocation[]> {
  const { streamId, performerId, userId, is } = moderator;
  return callFunction(
    db,
    sql`select set_moderator(${streamId}, ${performerId}, ${userId}, ${is}) as result`,
    Revocation.array(),
  );
}

export async function listModerators(
  db: Db,
  streamId: string,
): Promise<z.infer<typeof ModeratorList>['moderators']> {
  return callFunction(
    db,
    sql`select moderators_of(${streamId}) as result`,
    ModeratorList.shape.moderators,
  );
}

/**
 * Silences somebody in the rooms of a stream's performer, or bans them from these; null lifts it. Refuses `not-found`,
 * `forbidden`.
 */
export async function setRoomBan(
  db: Db,
  ban: {
    streamId: string;
    by: string;
    userId: string;
    kind: 'silenced' | 'banned' | null;
    until: Date | null;
  },
): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select set_room_ban(${ban.streamId}, ${ban.by}, ${ban.userId}, ${ban.kind},
      ${ban.until?.toISOString() ?? null}) as result`,
    Revocation.array(),
  );
}

/** Takes a chat line away. Answers the event; null when it was gone. Refuses `not-found`, `forbidden`. */
export async function deleteMessage(
  db: Db,
  line: { streamId: string; by: string; messageId: string },
): Promise<RoomEvent | null> {
  return callFunction(
    db,
    sql`select delete_message(${line.streamId}, ${line.by}, ${line.messageId}) as result`,
    RoomEvent.nullable(),
  );
}
