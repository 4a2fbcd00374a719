// The editor of a stream that is there: its form, saved by the version that was read.
import { signal } from '@preact/signals';
import type { Stream } from '#contract';
import type { Api } from './api.ts';
import { hasCode, messageOf } from './api-error.ts';
import { createStreamForm } from './stream-form.ts';

export type StreamEditorDeps = {
  api: { streams: Pick<Api['streams'], 'edit' | 'read'> };
  now: () => number;
  /** The stream as it is now. */
  onSaved: (stream: Stream) => void;
};

export function createStreamEditor({ api, now, onSaved }: StreamEditorDeps) {
  const form = createStreamForm(now);
  const editing = signal<Stream | null>(null);
  const fault = signal<string | null>(null);
  const busy = signal(false);

  function close(): void {
    editing.value = null;
    fault.value = null;
  }

  async function refused(stream: Stream, error: unknown): Promise<void> {
    fault.value = messageOf(error);
    if (!hasCode(error, 'precondition-failed')) return;
    // Saved once more, it is meant for what is there now.
    editing.value = await api.streams.read(stream.id).catch(() => stream);
    fault.value = 'It was changed elsewhere meanwhile. Save once more to keep what stands here.';
  }

  return {
    form,
    /** The stream that is being changed. */
    editing,
    fault,
    busy,
    close,
    open(stream: Stream): void {
      form.fill(stream);
      fault.value = null;
      editing.value = stream;
    },
    async save(): Promise<void> {
      const stream = editing.peek();
      if (!stream || busy.peek()) return;
      const changes = form.changesTo(stream);
      if (!changes) return;
      if (Object.keys(changes).length === 0) return close();
      busy.value = true;
      try {
        onSaved(await api.streams.edit(stream.id, stream.version, changes));
        close();
      } catch (error) {
        await refused(stream, error);
      } finally {
        busy.value = false;
      }
    },
  };
}
export type StreamEditor = ReturnType<typeof createStreamEditor>;
