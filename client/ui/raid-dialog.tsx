// The raid in the studio: the button, the choice of a stream, and what becomes of it.
import type { Stream } from '#contract';
import { createRaidDesk, type RaidDesk } from '../models/raid-desk.ts';
import { useApp, useLife } from './app-context.ts';
import { Avatar } from './avatar.tsx';
import { ViewersBadge } from './badge.tsx';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { RaidIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { SearchField } from './search-field.tsx';
import './raid-dialog.css';

function Choice({ desk, stream }: { desk: RaidDesk; stream: Stream }) {
  const isChosen = desk.chosen.value?.id === stream.id;
  return (
    <label class={isChosen ? 'raid-choice chosen' : 'raid-choice'}>
      <input
        type="radio"
        class="sr-only"
        name="raid-goal"
        checked={isChosen}
        onChange={() => {
          desk.chosen.value = stream;
        }}
        data-testid="raid-choice"
      />
      <Avatar name={stream.performer.username} size={38} />
      <span class="raid-choice-words">
        <b>{stream.performer.username}</b>
        <bdi class="soft">{stream.title}</bdi>
      </span>
      <ViewersBadge viewers={stream.viewers} />
    </label>
  );
}

function Choices({ desk }: { desk: RaidDesk }) {
  const streams = desk.streams.value;
  const fault = desk.listFault.value;
  if (fault) return <Notice tone="bad">{fault}</Notice>;
  if (streams.length === 0) {
    return (
      <p class="faint" role="status">
        {desk.loading.value ? 'Looking…' : 'Nobody else is live like that.'}
      </p>
    );
  }
  return (
    <fieldset class="raid-choices">
      <legend class="sr-only">Lead them to</legend>
      {streams.map((stream) => (
        <Choice key={stream.id} desk={desk} stream={stream} />
      ))}
    </fieldset>
  );
}

export function RaidButton({ stream }: { stream: Stream }) {
  const { api, clock } = useApp();
  const desk = useLife(() => createRaidDesk({ api, clock }), stream.id);
  const led = desk.led.value;
  if (led) {
    return (
      <p class="raid-led" role="status" data-testid="raid-led">
        Your viewers go on to <b>{led.performer.username}</b>. End when they have left.
      </p>
    );
  }
  return (
    <>
      <Button onClick={() => desk.open(stream)} data-testid="raid-open">
        <RaidIcon /> Raid
      </Button>
      <Dialog
        title="Lead your viewers on"
        open={desk.isOpen.value}
        onClose={desk.dismiss}
        actions={
          <>
            <Button
              look="primary"
              disabled={desk.chosen.value === null}
              busy={desk.busy.value}
              onClick={() => desk.send()}
              data-testid="raid-send"
            >
              Lead them there
            </Button>
            <Button onClick={desk.dismiss}>Not now</Button>
          </>
        }
      >
        <div class="stack">
          <p>
            Everybody who watches goes there after a few seconds, unless they would rather stay. It
            works once a stream.
          </p>
          <SearchField
            name="raid-search"
            value={desk.search.typed.value}
            onType={desk.search.type}
            onLook={desk.search.look}
          />
          <Choices desk={desk} />
          {desk.fault.value && <Notice tone="bad">{desk.fault.value}</Notice>}
        </div>
      </Dialog>
    </>
  );
}
