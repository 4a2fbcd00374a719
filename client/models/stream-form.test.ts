import { expect, test } from 'vitest';
import type { EditStreamBody, Stream } from '#contract';
import { anyStream } from '../testing/any-stream.ts';
import { ApiError } from './api-error.ts';
import { localText } from './local-time.ts';
import { createStreamEditor } from './stream-editor.ts';
import { createStreamForm, tagsOf } from './stream-form.ts';

const nowMs = Date.parse('2026-03-01T12:00:00.000Z');
const tomorrow = '2026-03-02T12:00:00.000Z';
const newForm = () => createStreamForm(() => nowMs);

test('tags are words, with or without their sign, however they are parted', () => {
  expect(tagsOf(' piano, #Jazz  late-night,,')).toEqual(['piano', 'Jazz', 'late-night']);
  expect(tagsOf('')).toEqual([]);
});

test('what is not said is usual', () => {
  const form = newForm();
  form.title.value = 'Evening set';
  expect(form.read()).toEqual({
    title: 'Evening set',
    category: 'music',
    tags: [],
    language: null,
    contentClass: 'general',
    visibility: 'public',
    entryTokens: null,
    scheduledAt: null,
  });
});

test('an entry has its price while it is sold, and none otherwise', () => {
  const form = newForm();
  form.title.value = 'Show';
  form.visibility.value = 'ticketed';
  for (const text of ['', '0', 'ten', '10001']) {
    form.entryTokens.value = text;
    expect(form.read()).toBeNull();
    expect(Object.keys(form.faults.value)).toEqual(['entryTokens']);
  }
  form.entryTokens.value = '25';
  expect(form.read()).toMatchObject({ visibility: 'ticketed', entryTokens: 25 });
  form.visibility.value = 'followers';
  expect(form.read()).toMatchObject({ visibility: 'followers', entryTokens: null });
});

test('only a moment to come is announced', () => {
  const form = newForm();
  form.title.value = 'Show';
  for (const instant of [null, '2026-02-28T12:00:00.000Z', '2027-03-01T12:00:00.000Z']) {
    form.scheduledAt.value = localText(instant);
    expect(form.readAnnounced()).toBeNull();
    expect(Object.keys(form.faults.value)).toEqual(['scheduledAt']);
  }
  form.scheduledAt.value = localText(tomorrow);
  expect(form.readAnnounced()?.scheduledAt).toBe(tomorrow);
});

test('only what was changed is sent of a stream that is there', () => {
  const form = newForm();
  const stream = anyStream({
    tags: ['piano'],
    visibility: 'ticketed',
    entryTokens: 25,
    scheduledAt: '2026-03-02T12:00:07.000Z',
  });
  form.fill(stream);
  expect(form.changesTo(stream)).toEqual({});
  form.tags.value = 'piano, jazz';
  form.language.value = 'hi';
  expect(form.changesTo(stream)).toEqual({ tags: ['piano', 'jazz'], language: 'hi' });
});

test('a stream that was changed elsewhere is saved at the second try, by the version that is there now', async () => {
  const sent: { version: number; changes: EditStreamBody }[] = [];
  const saved: Stream[] = [];
  const now = anyStream({ version: 2, language: 'en' });
  const editor = createStreamEditor({
    api: {
      streams: {
        read: async () => now,
        async edit(_, version, changes) {
          sent.push({ version, changes });
          if (version !== now.version) {
            throw new ApiError('precondition-failed', 412, null, 'changed');
          }
          return anyStream({ version: 3 });
        },
      },
    },
    now: () => nowMs,
    onSaved: (stream) => void saved.push(stream),
  });
  editor.open(anyStream({ version: 1 }));
  editor.form.title.value = 'Night set';
  await editor.save();
  expect(editor.fault.value).toContain('Save once more');
  expect(editor.form.title.value).toBe('Night set');
  await editor.save();
  expect(sent.map(({ version }) => version)).toEqual([1, 2]);
  expect(saved.map(({ version }) => version)).toEqual([3]);
  expect(editor.editing.value).toBeNull();
});
