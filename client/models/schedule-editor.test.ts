import { expect, test } from 'vitest';
import type { ScheduleEntry } from '#contract';
import { ApiError } from './api-error.ts';
import { instantOf, localText } from './local-time.ts';
import { createScheduleEditor } from './schedule-editor.ts';

const nowMs = Date.parse('2026-03-01T12:00:00.000Z');
const inDays = (days: number) => localText(new Date(nowMs + days * 86_400_000).toISOString());

function createScene() {
  const entries: ScheduleEntry[] = [];
  const keys: string[] = [];
  let isLost = false;
  let made = 0;
  const editor = createScheduleEditor({
    api: {
      schedule: async () => ({ entries: [...entries] }),
      async announce(body, key) {
        keys.push(key);
        if (isLost) throw new ApiError('network', 0, null, 'lost');
        const entry = { ...body, id: key };
        entries.push(entry);
        return entry;
      },
      async editAnnouncement(id, changes) {
        const at = entries.findIndex((entry) => entry.id === id);
        const entry = { ...entries[at], ...changes } as ScheduleEntry;
        entries[at] = entry;
        return entry;
      },
      async unannounce(id) {
        entries.splice(
          entries.findIndex((entry) => entry.id === id),
          1,
        );
      },
    },
    clock: { now: () => nowMs },
    newKey: () => `key-${++made}`,
  });
  return {
    editor,
    keys,
    setLost(lost: boolean) {
      isLost = lost;
    },
  };
}

test('a moment is the same after it was shown and read again', () => {
  const instant = '2026-03-29T01:30:00.000Z';
  expect(instantOf(localText(instant))).toBe(instant);
  expect(localText(null)).toBe('');
  for (const text of ['', '2026-03-29', 'soon', '2026-13-40T99:99'])
    expect(instantOf(text)).toBeNull();
});

test('what is announced, changed and taken back is listed so', async () => {
  const { editor, keys } = createScene();
  await editor.load();
  editor.title.value = 'Late piano';
  editor.startsAt.value = inDays(2);
  await editor.save();
  expect(editor.value.value?.entries).toMatchObject([{ title: 'Late piano', minutes: 60 }]);
  expect([editor.title.value, editor.startsAt.value]).toEqual(['', '']);
  const [entry] = editor.value.value?.entries ?? [];
  if (!entry) throw new Error('nothing was announced');
  editor.edit(entry);
  editor.minutes.value = '90';
  await editor.save();
  expect(editor.value.value?.entries).toMatchObject([{ title: 'Late piano', minutes: 90 }]);
  expect(keys).toHaveLength(1);
  await editor.remove(entry);
  expect(editor.value.value?.entries).toEqual([]);
});

test('what does not fit is said beside its field', async () => {
  const { editor, keys } = createScene();
  editor.startsAt.value = inDays(-1);
  editor.minutes.value = 'long';
  await editor.save();
  expect(Object.keys(editor.faults.value)).toEqual(['title', 'startsAt', 'minutes']);
  expect(keys).toEqual([]);
});

test('one that was sent and got no answer is sent again under its own key', async () => {
  const { editor, keys, setLost } = createScene();
  editor.title.value = 'Late piano';
  editor.startsAt.value = inDays(2);
  setLost(true);
  await editor.save();
  expect(editor.fault.value).toContain('No connection');
  setLost(false);
  await editor.save();
  expect(new Set(keys).size).toBe(1);
  editor.title.value = 'Another one';
  editor.startsAt.value = inDays(3);
  await editor.save();
  expect(new Set(keys).size).toBe(2);
});
