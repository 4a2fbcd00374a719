// The schedule: when performers mean to be live.
import { sql } from 'drizzle-orm';
import { type AddScheduleBody, type EditScheduleBody, ScheduleEntry, scheduleMax } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** What a performer has announced and is not over, the next first. */
export async function listSchedule(db: Db, performerId: string): Promise<ScheduleEntry[]> {
  return callFunction(
    db,
    sql`select schedule_to_come(${performerId}, ${scheduleMax}) as result`,
    ScheduleEntry.array(),
  );
}

/** Once for each key of a performer: again answers it as it is now. Refuses `too-many`, `account-banned`. */
export async function announce(
  db: Db,
  performerId: string,
  entry: AddScheduleBody,
  idempotencyKey: string,
): Promise<ScheduleEntry> {
  return callFunction(
    db,
    sql`select announce(${performerId}, ${idempotencyKey}, ${JSON.stringify(entry)}::jsonb, ${scheduleMax})
      as result`,
    ScheduleEntry,
  );
}

/** Changes an announcement of one's own. Refuses `not-found`. */
export async function editAnnouncement(
  db: Db,
  performerId: string,
  entryId: string,
  changes: EditScheduleBody,
): Promise<ScheduleEntry> {
  return callFunction(
    db,
    sql`select edit_announcement(${performerId}, ${entryId}, ${JSON.stringify(changes)}::jsonb) as result`,
    ScheduleEntry,
  );
}

/** Takes an announcement of one's own back. */
export async function unannounce(db: Db, performerId: string, entryId: string): Promise<void> {
  await db.execute(sql`select unannounce(${performerId}, ${entryId})`);
}
