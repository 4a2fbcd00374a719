// Preferences: read once, changed one by one, each kept as soon as it is picked.
import { signal } from '@preact/signals';
import type {
  EditPreferencesBody,
  NoticeChannel,
  NoticeKind,
  VersionedPreferences,
} from '#contract';
import { hasCode, messageOf } from './api-error.ts';
import { createLoaded } from './load.ts';
import type { PeopleApi } from './people-api.ts';

export type PreferencesDeps = {
  api: Pick<PeopleApi, 'preferences' | 'editPreferences'>;
  /** What this device is to look like from now on. */
  onTheme: (theme: VersionedPreferences['theme']) => void;
  /** What the edge has told. */
  onTold: (told: VersionedPreferences) => void;
  /** Where this device's clock stands, such as `Asia/Kolkata`. */
  timeZone: string;
};

const usualQuiet = { from: '22:00', to: '07:00' };

type Changed<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

/** As the edge changes them: what is left out stays, also of the kinds of notices. */
function withChanges(
  before: VersionedPreferences,
  { notices, ...plain }: EditPreferencesBody,
): VersionedPreferences {
  const said = Object.entries(plain).filter(([, value]) => value !== undefined);
  const changed = Object.fromEntries(said) as Changed<typeof plain>;
  const kinds = Object.entries(notices ?? {}).filter(([, value]) => value !== undefined);
  return { ...before, ...changed, notices: { ...before.notices, ...Object.fromEntries(kinds) } };
}

export function createPreferencesPage({ api, onTheme, onTold, timeZone }: PreferencesDeps) {
  const loaded = createLoaded<VersionedPreferences>(api.preferences);
  const fault = signal<string | null>(null);
  const saved = signal(false);
  /** Changes that the edge has not answered; they go one after the other, each to the version of the one before. */
  const waiting: EditPreferencesBody[] = [];
  let last: Promise<void> = Promise.resolve();

  /** What the edge has told, with what waits on top of it: nothing that was picked jumps back. */
  function show(told: VersionedPreferences): void {
    loaded.value.value = waiting.reduce(withChanges, told);
  }

  async function send(changes: EditPreferencesBody, isAgain = false): Promise<void> {
    const version = loaded.value.peek()?.version;
    if (version === undefined) return;
    try {
      const told = await api.editPreferences(version, changes);
      onTold(told);
      waiting.shift();
      show(told);
      saved.value = true;
    } catch (error) {
      // Another device has changed something else meanwhile.
      const isStale = hasCode(error, 'precondition-failed') && !isAgain;
      if (!isStale) {
        waiting.shift();
        fault.value = messageOf(error);
      }
      await loaded.load();
      const told = loaded.value.peek();
      if (told) show(told);
      if (isStale) await send(changes, true);
    }
  }

  function change(changes: EditPreferencesBody): Promise<void> {
    const before = loaded.value.peek();
    if (!before) return last;
    fault.value = null;
    saved.value = false;
    waiting.push(changes);
    loaded.value.value = withChanges(before, changes);
    if (changes.theme) onTheme(changes.theme);
    last = last.then(() => send(changes));
    return last;
  }

  return {
    value: loaded.value,
    loadFault: loaded.fault,
    fault,
    saved,
    load: loaded.load,
    change,
    /** Whether one is told of something by one way. */
    tell(kind: NoticeKind, channel: NoticeChannel, is: boolean): Promise<void> {
      const channels = loaded.value.peek()?.notices[kind];
      return channels ? change({ notices: { [kind]: { ...channels, [channel]: is } } }) : last;
    },
    setQuiet(is: boolean): Promise<void> {
      return change({ quietHours: is ? { ...usualQuiet, timeZone } : null });
    },
    setQuietTime(end: 'from' | 'to', time: string): Promise<void> {
      const quiet = loaded.value.peek()?.quietHours;
      const isWhole = /^\d{2}:\d{2}$/.test(time);
      return quiet && isWhole ? change({ quietHours: { ...quiet, [end]: time, timeZone } }) : last;
    },
    close(): void {},
  };
}
export type PreferencesModel = ReturnType<typeof createPreferencesPage>;
