// The stage in the studio: whom to invite, who is there, and muting them or taking them off.
import { type MediaHold, type StageGuest, stageGuestsMax } from '#contract';
import type { StageDesk } from '../models/stage-desk.ts';
import { Avatar } from './avatar.tsx';
import { Badge } from './badge.tsx';
import { Button, IconButton } from './button.tsx';
import { TextField } from './field.tsx';
import { GuestTiles } from './guest-tiles.tsx';
import { CameraIcon, CameraOffIcon, MicIcon, MicOffIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import './stage-panel.css';

function Holds({ desk, guest }: { desk: StageDesk; guest: StageGuest }) {
  const { held, user } = guest;
  const set = (change: Partial<MediaHold>) => desk.hold(guest, { ...held, ...change });
  return (
    <>
      <IconButton
        label={held.sound ? `Let ${user.username} be heard` : `Mute ${user.username}`}
        aria-pressed={held.sound}
        disabled={desk.busy.value}
        onClick={() => set({ sound: !held.sound })}
        data-testid="guest-mute"
      >
        {held.sound ? <MicOffIcon /> : <MicIcon />}
      </IconButton>
      <IconButton
        label={
          held.picture ? `Let ${user.username} be seen` : `Pause the picture of ${user.username}`
        }
        aria-pressed={held.picture}
        disabled={desk.busy.value}
        onClick={() => set({ picture: !held.picture })}
        data-testid="guest-pause"
      >
        {held.picture ? <CameraOffIcon /> : <CameraIcon />}
      </IconButton>
    </>
  );
}

function Guest({ desk, guest, isSeen }: { desk: StageDesk; guest: StageGuest; isSeen: boolean }) {
  const { user, state } = guest;
  return (
    <li class="stage-guest" data-testid="stage-guest" data-state={isSeen ? 'seen' : state}>
      <Avatar name={user.username} size={34} />
      <span class="stage-guest-name">
        <bdi>{user.username}</bdi>{' '}
        {isSeen ? (
          <Badge tone="good">On stage</Badge>
        ) : (
          <Badge>{state === 'invited' ? 'Invited' : 'Getting ready'}</Badge>
        )}
      </span>
      <span class="row">
        {state === 'joined' && <Holds desk={desk} guest={guest} />}
        <Button
          size="small"
          look="ghost"
          disabled={desk.busy.value}
          onClick={() => desk.putOff(guest)}
          data-testid="guest-put-off"
        >
          {state === 'invited' ? 'Take back' : 'Take off'}
        </Button>
      </span>
    </li>
  );
}

function Invite({ desk, isFull }: { desk: StageDesk; isFull: boolean }) {
  return (
    <form
      class="stage-invite"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        desk.invite();
      }}
    >
      <TextField
        label="User name"
        value={desk.username}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        data-testid="stage-username"
      />
      <Button type="submit" busy={desk.busy.value} disabled={isFull} data-testid="stage-invite">
        Invite
      </Button>
    </form>
  );
}

export function StagePanel({ desk }: { desk: StageDesk }) {
  const guests = desk.list.value.value?.guests ?? [];
  const media = desk.media.value;
  const isFull = guests.length >= stageGuestsMax;
  return (
    <section class="card stage-panel" aria-labelledby="stage-title" data-testid="stage-panel">
      <h2 id="stage-title">Stage</h2>
      <p class="soft">
        {isFull
          ? 'The stage is full. Take somebody off it to invite another one.'
          : `Up to ${stageGuestsMax} guests send their own picture and sound beside yours. Whom you invite sees it on the page of this stream.`}
      </p>
      <GuestTiles guests={media} sound={{ muted: false, volume: 1 }} place={desk.viewing.place} />
      {guests.length > 0 && (
        <ul class="stage-guests" aria-label="Guests">
          {guests.map((guest) => (
            <Guest
              key={guest.user.id}
              desk={desk}
              guest={guest}
              isSeen={media.some(({ id }) => id === guest.user.id)}
            />
          ))}
        </ul>
      )}
      {desk.fault.value && <Notice tone="bad">{desk.fault.value}</Notice>}
      <Invite desk={desk} isFull={isFull} />
    </section>
  );
}
