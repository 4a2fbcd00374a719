// Raids: the performer of a live stream leads their audience to another one.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Raid, RoomEvent } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/**
 * Leads the audience of a stream to another one, once; answers the events to publish. The same again changes nothing.
 * Refuses `not-found`, `forbidden`, `account-banned`, `stream-not-live`, `already-decided`, `raid-refused`.
 */
export async function startRaid(
  db: Db,
  raid: { fromStreamId: string; performerId: string; toStreamId: string },
): Promise<{ raid: Raid; events: RoomEvent[] }> {
  return callFunction(
    db,
    sql`select raid(${raid.fromStreamId}, ${raid.performerId}, ${raid.toStreamId}) as result`,
    z.object({ raid: Raid, events: RoomEvent.array() }),
  );
}
