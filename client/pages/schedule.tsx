// The schedule of a performer: what is announced, and one announcement that is written or changed.
import { useEffect } from 'preact/hooks';
import type { Me, ScheduleEntry, StreamCategory } from '#contract';
import { createPeopleApi } from '../models/people-api.ts';
import { profileHref } from '../models/router.ts';
import { createScheduleEditor, type ScheduleEditor } from '../models/schedule-editor.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { categories, categoryFaces } from '../ui/category.ts';
import { SelectField, TextField } from '../ui/field.tsx';
import { formatDayTime } from '../ui/format.ts';
import { MembersOnly } from '../ui/members-only.tsx';
import { Empty, Fault, Notice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import './schedule.css';

function EntryForm({ editor }: { editor: ScheduleEditor }) {
  const isNew = editor.editing.value === null;
  return (
    <form
      class="card schedule-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        editor.save();
      }}
    >
      <h2>{isNew ? 'Announce a stream' : 'Change it'}</h2>
      <TextField
        label="Title"
        value={editor.title}
        maxLength={100}
        autocomplete="off"
        placeholder="What will it be?"
        fault={editor.faults.value.title}
        data-testid="schedule-title"
      />
      <SelectField
        label="Category"
        value={editor.category.value}
        options={categories.map((value) => ({ value, label: categoryFaces[value].label }))}
        onPick={(picked) => {
          editor.category.value = picked as StreamCategory;
        }}
      />
      <div class="schedule-when">
        <TextField
          label="Begins"
          type="datetime-local"
          value={editor.startsAt}
          fault={editor.faults.value.startsAt}
          data-testid="schedule-starts"
        />
        <TextField
          label="Minutes"
          inputMode="numeric"
          value={editor.minutes}
          maxLength={4}
          autocomplete="off"
          fault={editor.faults.value.minutes}
          data-testid="schedule-minutes"
        />
      </div>
      <p class="faint">By the clock of this device. Everybody sees it by their own.</p>
      {editor.fault.value && <Notice tone="bad">{editor.fault.value}</Notice>}
      <div class="row wrap">
        <Button look="primary" type="submit" busy={editor.busy.value} data-testid="schedule-save">
          {isNew ? 'Announce it' : 'Save'}
        </Button>
        {!isNew && <Button onClick={editor.clear}>Leave it as it is</Button>}
      </div>
    </form>
  );
}

function EntryRow({ entry, editor }: { entry: ScheduleEntry; editor: ScheduleEditor }) {
  return (
    <li class="schedule-entry" data-testid="schedule-entry">
      <div class="schedule-words">
        <b>
          <bdi>{entry.title}</bdi>
        </b>
        <span class="soft">
          <time dateTime={entry.startsAt}>{formatDayTime(entry.startsAt)}</time> · {entry.minutes}{' '}
          min · {categoryFaces[entry.category].label}
        </span>
      </div>
      <div class="row">
        <Button size="small" onClick={() => editor.edit(entry)} data-testid="schedule-edit">
          Change<span class="sr-only"> {entry.title}</span>
        </Button>
        <Button
          size="small"
          look="ghost"
          onClick={() => editor.remove(entry)}
          data-testid="schedule-remove"
        >
          Take back<span class="sr-only"> {entry.title}</span>
        </Button>
      </div>
    </li>
  );
}

function Entries({ editor }: { editor: ScheduleEditor }) {
  const entries = editor.value.value?.entries;
  if (!entries) {
    return editor.loadFault.value ? (
      <Fault text={editor.loadFault.value} onRetry={editor.load} />
    ) : (
      <Skeleton width="100%" height="160px" />
    );
  }
  if (entries.length === 0) {
    return (
      <Empty title="Nothing announced yet">
        <p>Tell people when you will be live: it is on your profile and in their calendars.</p>
      </Empty>
    );
  }
  return (
    <ul class="card schedule-list">
      {entries.map((entry) => (
        <EntryRow key={entry.id} entry={entry} editor={editor} />
      ))}
    </ul>
  );
}

function OpenSchedule({ user }: { user: Me }) {
  const app = useApp();
  const editor = useLife(
    () =>
      createScheduleEditor({
        api: createPeopleApi(app.api.request),
        clock: app.clock,
        newKey: app.newKey,
      }),
    user.id,
  );
  useEffect(() => void editor.load(), [editor]);
  return (
    <Page
      name="schedule"
      title="Schedule"
      lead="When you mean to be live."
      aside={<ButtonLink href={profileHref(user.username)}>See your profile</ButtonLink>}
    >
      <div class="schedule-grid">
        <EntryForm editor={editor} />
        <Entries editor={editor} />
      </div>
    </Page>
  );
}

export function SchedulePage() {
  return (
    <MembersOnly why="The schedule is part of your studio.">
      {(user) =>
        user.role === 'performer' || user.role === 'admin' ? (
          <OpenSchedule key={user.id} user={user} />
        ) : (
          <Page name="schedule" title="Schedule">
            <Empty
              title="The schedule is for performers"
              action={
                <ButtonLink look="primary" href="/studio">
                  To the studio
                </ButtonLink>
              }
            />
          </Page>
        )
      }
    </MembersOnly>
  );
}
