// Guest tiles: who is on the stage beside the host, each with their own picture and sound.
import { useEffect, useRef } from 'preact/hooks';
import { watchBox } from '../media/picture-box.ts';
import type { GuestMedia } from '../media/receiver.ts';
import type { Viewing } from '../models/viewing.ts';
import { useApp } from './app-context.ts';
import { Avatar } from './avatar.tsx';
import './guest-tiles.css';

type Place = Viewing['place'];
type Sound = { muted: boolean; volume: number };

type TileProps = { guest: GuestMedia; sound: Sound; place: Place };

function GuestTile({ guest, sound, place }: TileProps) {
  const { clock } = useApp();
  const video = useRef<HTMLVideoElement>(null);
  const { id, stream } = guest;
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = stream;
    element.play().catch(() => {
      // Sound needs a tap first, as with the host's; the same tap starts both.
    });
    return () => {
      element.srcObject = null;
    };
  }, [stream]);
  useEffect(() => {
    if (!video.current) return;
    video.current.muted = sound.muted;
    video.current.volume = sound.volume;
    if (!sound.muted) video.current.play().catch(() => {});
  }, [sound.muted, sound.volume]);
  useEffect(() => {
    if (!video.current) return;
    const stop = watchBox(video.current, 'cover', clock, (box) => place(id, box));
    return () => {
      stop();
      place(id, null);
    };
  }, [id, place, clock]);
  return (
    <li class="guest-tile" data-testid="guest-tile" data-guest={guest.name}>
      <video
        ref={video}
        class={guest.hasPicture ? 'guest-video' : 'guest-video covered'}
        playsInline
        autoplay
        muted={sound.muted}
        aria-label={`Picture of ${guest.name}`}
      />
      {!guest.hasPicture && (
        <span class="guest-face">
          <Avatar name={guest.name} size={46} />
        </span>
      )}
      <span class="guest-name">
        <bdi>{guest.name}</bdi>
      </span>
    </li>
  );
}

type TilesProps = { guests: readonly GuestMedia[]; sound: Sound; place: Place };

export function GuestTiles({ guests, sound, place }: TilesProps) {
  if (guests.length === 0) return null;
  return (
    <ul class="guest-tiles" aria-label="On the stage" data-guests={guests.length}>
      {guests.map((guest) => (
        <GuestTile key={guest.id} guest={guest} sound={sound} place={place} />
      ))}
    </ul>
  );
}
