// Setting up: what the stream is called, what it is about, and how large its picture is.

import { useMemo, useRef } from 'preact/hooks';
import type { Stream } from '#contract';
import { type LadderName, ladderNames } from '../media/ladders.ts';
import { type PictureCodec, sendableCodecs } from '../media/picture-codecs.ts';
import type { Studio } from '../models/studio.ts';
import { Button } from './button.tsx';
import { Segment } from './field.tsx';
import { formatDayTime } from './format.ts';
import { StudioIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { StreamEditorDialog } from './stream-editor-dialog.tsx';
import { AudienceFields, MoreFields, TitleFields } from './stream-fields.tsx';

const ladderWords: Record<LadderName, string> = {
  '480p30': '480p',
  '720p30': '720p',
  '1080p30': '1080p',
};

const codecWords: Record<PictureCodec, { label: string; says: string }> = {
  compatible: { label: 'Compatible', says: 'Every viewer can play it.' },
  VP9: {
    label: 'VP9',
    says: 'A better picture at the same bit rate. It takes more of this machine, HLS is encoded anew, and some viewers get HLS alone.',
  },
  AV1: {
    label: 'AV1',
    says: 'The best picture at the same bit rate. It takes most of this machine, HLS is encoded anew, and many phones get HLS alone.',
  },
};

/** A stream that was announced, and waits for its performer. */
function Planned({ studio, stream }: { studio: Studio; stream: Stream }) {
  return (
    <li class="studio-planned" data-testid="planned-stream">
      <span>
        <b>
          <bdi>{stream.title}</bdi>
        </b>{' '}
        <span class="faint">
          {stream.scheduledAt ? formatDayTime(stream.scheduledAt) : 'Not started yet'}
        </span>
      </span>
      <span class="row wrap">
        <Button
          look="primary"
          size="small"
          disabled={!studio.desk.videoOut.value}
          onClick={() => studio.broadcast.resume(stream)}
          data-testid="start-planned"
        >
          Go live with it
        </Button>
        <Button size="small" onClick={() => studio.editor.open(stream)} data-testid="edit-planned">
          Change
        </Button>
        <Button
          size="small"
          look="ghost"
          onClick={() => studio.endOpen(stream)}
          data-testid="end-planned"
        >
          Call it off
        </Button>
      </span>
    </li>
  );
}

function PictureSize({ studio }: { studio: Studio }) {
  const { desk } = studio;
  return (
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
  );
}

function PictureCodecChoice({ studio }: { studio: Studio }) {
  const { codec } = studio.desk;
  const sendable = useMemo(sendableCodecs, []);
  if (sendable.length < 2) return null;
  return (
    <div class="field">
      <span class="studio-label">Codec</span>
      <Segment<PictureCodec>
        label="Codec of the picture"
        value={codec.value}
        onPick={(picked) => {
          codec.value = picked;
        }}
        options={sendable.map((value) => ({
          value,
          label: codecWords[value].label,
          testId: `codec-${value}`,
        }))}
      />
      <p class="faint">{codecWords[codec.value].says}</p>
    </div>
  );
}

function GoLive({ studio }: { studio: Studio }) {
  const { desk, broadcast, form } = studio;
  const ready = desk.videoOut.value !== null;
  return (
    <>
      {broadcast.fault.value && <Notice tone="bad">{broadcast.fault.value}</Notice>}
      <Button
        look="primary"
        size="large"
        type="submit"
        wide
        busy={broadcast.phase.value === 'starting'}
        disabled={!ready}
        data-testid="go-live"
      >
        <StudioIcon /> Go live
      </Button>
      {form.scheduledAt.value !== '' && (
        <Button
          wide
          busy={studio.announcing.value}
          onClick={studio.announce}
          data-testid="announce-stream"
        >
          Announce it for later
        </Button>
      )}
      <p class="faint">
        {ready ? 'You can end it at any moment.' : 'You can go live as soon as there is a picture.'}
      </p>
    </>
  );
}

export function StudioSetup({ studio }: { studio: Studio }) {
  const { broadcast, form } = studio;
  const element = useRef<HTMLFormElement>(null);
  const planned = studio.planned.value;

  function goLive(): void {
    const body = form.read();
    if (body) broadcast.goLive(body);
    else if (form.faults.peek().title) element.current?.querySelector('input')?.focus();
    else element.current?.querySelector('details')?.setAttribute('open', '');
  }

  return (
    <div class="stack">
      <form
        ref={element}
        class="card studio-setup"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          goLive();
        }}
      >
        <h2>Your stream</h2>
        <TitleFields form={form} />
        <AudienceFields form={form} />
        <MoreFields form={form} />
        <PictureSize studio={studio} />
        <PictureCodecChoice studio={studio} />
        <GoLive studio={studio} />
      </form>
      {planned.length > 0 && (
        <section class="card studio-setup" aria-labelledby="planned-title">
          <h2 id="planned-title">Announced</h2>
          <ul class="stack">
            {planned.map((stream) => (
              <Planned key={stream.id} studio={studio} stream={stream} />
            ))}
          </ul>
        </section>
      )}
      <StreamEditorDialog editor={studio.editor} />
    </div>
  );
}
