// The editor of a schedule: what a performer has announced, and one entry that is written or changed.
import { signal } from '@preact/signals';
import {
  AddScheduleBody,
  canBeAnnounced,
  type ScheduleEntry,
  type StreamCategory,
} from '#contract';
import { messageOf } from './api-error.ts';
import type { Clock } from './clock.ts';
import { createLoaded } from './load.ts';
import { instantOf, localText } from './local-time.ts';
import type { PeopleApi } from './people-api.ts';

export type ScheduleEditorDeps = {
  api: Pick<PeopleApi, 'schedule' | 'announce' | 'editAnnouncement' | 'unannounce'>;
  clock: Pick<Clock, 'now'>;
  newKey: () => string;
};

type Faults = Partial<Record<'title' | 'startsAt' | 'minutes', string>>;
const words: Required<Faults> = {
  title: 'Say in a line what it will be.',
  startsAt: 'A day and time to come, within half a year.',
  minutes: 'From 5 minutes to 24 hours.',
};

export function createScheduleEditor({ api, clock, newKey }: ScheduleEditorDeps) {
  const entries = createLoaded<{ entries: ScheduleEntry[] }>(api.schedule);
  const title = signal('');
  const category = signal<StreamCategory>('music');
  const startsAt = signal('');
  const minutes = signal('60');
  const editing = signal<string | null>(null);
  const faults = signal<Faults>({});
  const fault = signal<string | null>(null);
  const busy = signal(false);
  /** One key for one entry, however often it is sent. */
  let key = newKey();

  function clear(): void {
    editing.value = null;
    title.value = '';
    startsAt.value = '';
    minutes.value = '60';
    faults.value = {};
    fault.value = null;
    key = newKey();
  }

  function read(): AddScheduleBody | null {
    const instant = instantOf(startsAt.peek());
    const parsed = AddScheduleBody.safeParse({
      title: title.peek(),
      category: category.peek(),
      startsAt: instant,
      minutes: Number(minutes.peek()),
    });
    const wrong = new Set<unknown>(parsed.error?.issues.map(({ path }) => path[0]));
    if (!instant || !canBeAnnounced(instant, new Date(clock.now()))) wrong.add('startsAt');
    faults.value = Object.fromEntries(
      Object.entries(words).filter(([name]) => wrong.has(name)),
    ) as Faults;
    return parsed.success && wrong.size === 0 ? parsed.data : null;
  }

  async function work(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.peek()) return false;
    busy.value = true;
    fault.value = null;
    try {
      await act();
      await entries.load();
      return true;
    } catch (error) {
      fault.value = messageOf(error);
      return false;
    } finally {
      busy.value = false;
    }
  }

  return {
    value: entries.value,
    loadFault: entries.fault,
    title,
    category,
    startsAt,
    minutes,
    /** The entry that is being changed; null while a new one is written. */
    editing,
    faults,
    fault,
    busy,
    load: entries.load,
    clear,
    edit(entry: ScheduleEntry): void {
      clear();
      editing.value = entry.id;
      title.value = entry.title;
      category.value = entry.category;
      startsAt.value = localText(entry.startsAt);
      minutes.value = String(entry.minutes);
    },
    async save(): Promise<void> {
      const body = read();
      if (!body) return;
      const id = editing.peek();
      const isTaken = await work(() =>
        id === null ? api.announce(body, key) : api.editAnnouncement(id, body),
      );
      if (isTaken) clear();
    },
    async remove(entry: ScheduleEntry): Promise<void> {
      const isTaken = await work(() => api.unannounce(entry.id));
      if (isTaken && editing.peek() === entry.id) clear();
    },
    close(): void {},
  };
}
export type ScheduleEditor = ReturnType<typeof createScheduleEditor>;
