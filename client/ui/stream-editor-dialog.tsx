// Changing what is said of a stream that is there, on air or announced.
import { useId } from 'preact/hooks';
import type { StreamEditor } from '../models/stream-editor.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Notice } from './notice.tsx';
import { AudienceFields, MoreFields, TitleFields } from './stream-fields.tsx';

export function StreamEditorDialog({ editor }: { editor: StreamEditor }) {
  const id = useId();
  return (
    <Dialog
      title="Change the stream"
      open={editor.editing.value !== null}
      onClose={editor.close}
      actions={
        <>
          <Button onClick={editor.close}>Leave it as it is</Button>
          <Button
            look="primary"
            type="submit"
            form={id}
            busy={editor.busy.value}
            data-testid="stream-save"
          >
            Save
          </Button>
        </>
      }
    >
      {editor.editing.value && (
        <form
          id={id}
          class="stack"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            editor.save();
          }}
        >
          <TitleFields form={editor.form} />
          <AudienceFields form={editor.form} />
          <MoreFields form={editor.form} />
          {editor.fault.value && <Notice tone="bad">{editor.fault.value}</Notice>}
        </form>
      )}
    </Dialog>
  );
}
