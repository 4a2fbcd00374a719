// The schedule: when a performer means to be live.
import { z } from 'zod';
import { HumanText, Id, Instant } from './ids.ts';
import { StreamCategory, scheduledDaysMax, streamTitleCharsMax } from './streams.ts';

/** How many announcements a performer may have that are not over. */
export const scheduleMax = 50;
export const scheduleMinutes = { min: 5, max: 24 * 60 } as const;

const fields = {
  title: HumanText.trim()
    .min(1)
    .max(streamTitleCharsMax)
    .refine((text) => !/[\t\n\r]/.test(text), 'one line'),
  category: StreamCategory,
  startsAt: Instant,
  minutes: z.int().min(scheduleMinutes.min).max(scheduleMinutes.max),
};

export const ScheduleEntry = z.object({ ...fields, id: Id, title: z.string() });
export type ScheduleEntry = z.infer<typeof ScheduleEntry>;

export const AddScheduleBody = z.strictObject(fields);
export type AddScheduleBody = z.infer<typeof AddScheduleBody>;

/** What is left out stays as it is. */
export const EditScheduleBody = AddScheduleBody.partial().refine(
  (changes) => Object.keys(changes).length > 0,
  { message: 'nothing is changed' },
);
export type EditScheduleBody = z.infer<typeof EditScheduleBody>;

export const ScheduleList = z.object({ entries: z.array(ScheduleEntry) });

const dayMs = 86_400_000;

/** Whether something can be announced for a moment: one to come, and not too far ahead. */
export function canBeAnnounced(startsAt: string, now: Date): boolean {
  const ahead = Date.parse(startsAt) - now.getTime();
  return ahead > 0 && ahead <= scheduledDaysMax * dayMs;
}
