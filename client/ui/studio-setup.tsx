// Setting up: what the stream is called, what it is about, and how large its picture is.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Stream, StreamCategory } from '#contract';
import { type LadderName, ladderNames } from '../media/ladders.ts';
import { type Studio, titleCharsMax } from '../models/studio.ts';
import { Button } from './button.tsx';
import { categories, categoryFaces } from './category.ts';
import { Segment, SelectField, TextField } from './field.tsx';
import { StudioIcon } from './icons.tsx';
import { Notice } from './notice.tsx';

const ladderWords: Record<LadderName, string> = {
  '480p30': '480p',
  '720p30': '720p',
  '1080p30': '1080p',
};

function LeftOpen({ studio, stream }: { studio: Studio; stream: Stream }) {
  return (
    <Notice tone="warn">
      <div class="stack">
        <span>
          Your stream “<bdi>{stream.title}</bdi>” is still open. Resume it here, or end it to start
          a new one.
        </span>
        <div class="row wrap">
          <Button
            look="primary"
            size="small"
            onClick={() => studio.broadcast.resume(stream)}
            disabled={!studio.desk.videoOut.value}
            data-testid="resume-stream"
          >
            Resume
          </Button>
          <Button
            size="small"
            onClick={() => studio.endLeftOpen(stream)}
            data-testid="end-left-open"
          >
            End it
          </Button>
        </div>
      </div>
    </Notice>
  );
}

export function StudioSetup({ studio }: { studio: Studio }) {
  const { desk, broadcast } = studio;
  const title = useSignal('');
  const category = useSignal<StreamCategory>('music');
  const missingTitle = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const leftOpen = studio.leftOpen.value;
  const starting = broadcast.phase.value === 'starting';
  const ready = desk.videoOut.value !== null;

  function goLive(): void {
    const name = title.peek().trim();
    missingTitle.value = name === '';
    if (name === '') form.current?.querySelector('input')?.focus();
    else broadcast.goLive({ title: name, category: category.peek() });
  }

  return (
    <form
      ref={form}
      class="card studio-setup"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        goLive();
      }}
    >
      <h2>Your stream</h2>
      {leftOpen && <LeftOpen studio={studio} stream={leftOpen} />}
      <TextField
        label="Title"
        value={title}
        maxLength={titleCharsMax}
        autocomplete="off"
        placeholder="What is happening?"
        fault={missingTitle.value ? 'Give your stream a title.' : undefined}
        data-testid="stream-title-input"
      />
      <SelectField
        label="Category"
        value={category.value}
        options={categories.map((value) => ({ value, label: categoryFaces[value].label }))}
        onPick={(picked) => {
          category.value = picked as StreamCategory;
        }}
        data-testid="stream-category"
      />
      <div class="field">
        <span class="studio-label">Picture</span>
        <Segment<LadderName>
          label="Size of the picture"
          value={desk.ladder.value}
          onPick={(name) => desk.pickLadder(name)}
          options={ladderNames.map((name) => ({
            value: name,
            label: ladderWords[name],
            testId: `ladder-${name}`,
          }))}
        />
      </div>
      {broadcast.fault.value && <Notice tone="bad">{broadcast.fault.value}</Notice>}
      <Button
        look="primary"
        size="large"
        type="submit"
        wide
        busy={starting}
        disabled={!ready || leftOpen !== null}
        data-testid="go-live"
      >
        <StudioIcon /> Go live
      </Button>
      <p class="faint">
        {ready
          ? 'Everybody can watch. You can end it at any moment.'
          : 'You can go live as soon as there is a picture.'}
      </p>
    </form>
  );
}
