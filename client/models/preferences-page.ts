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
  /** Where this device's clock stands, such as `Asia/Kolkata`. */
  timeZone: string;
};

const usualQuiet = { from: '22:00', to: '07:00' };

export function createPreferencesPage({ api, onTheme, timeZone }: PreferencesDeps) {
  const loaded = createLoaded<VersionedPreferences>(api.preferences);
  const fault = signal<string | null>(null);
  const saved = signal(false);
  /** Changes go one after the other: each means the version that the one before has made. */
  let last: Promise<void> = Promise.resolve();

  async function send(changes: EditPreferencesBody, isAgain = false): Promise<void> {
    const version = loaded.value.peek()?.version;
    if (version === undefined) return;
    try {
      loaded.value.value = await api.editPreferences(version, changes);
      saved.value = true;
    } catch (error) {
      await loaded.load();
      // Another device has changed something else meanwhile.
      if (hasCode(error, 'precondition-failed') && !isAgain) return send(changes, true);
      fault.value = messageOf(error);
    }
  }

  function change(changes: EditPreferencesBody): Promise<void> {
    const before = loaded.value.peek();
    if (!before) return last;
    fault.value = null;
    saved.value = false;
    // Shown at once; what the edge makes of it comes after.
    const { notices, ...plain } = changes;
    loaded.value.value = {
      ...before,
      ...plain,
      notices: { ...before.notices, ...notices },
    } as typeof before;
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
