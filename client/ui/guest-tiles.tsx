// Guest tiles: who is on the stage beside the host, each with their own picture and sound.
import { useEffect, useRef } from 'preact/hooks';
import type { GuestMedia } from '../media/receiver.ts';
import { Avatar } from './avatar.tsx';
import './guest-tiles.css';

type Sound = { muted: boolean; volume: number };

function GuestTile({ guest, sound }: { guest: GuestMedia; sound: Sound }) {
  const video = useRef<HTMLVideoElement>(null);
  const { stream } = guest;
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

export function GuestTiles({ guests, sound }: { guests: readonly GuestMedia[]; sound: Sound }) {
  if (guests.length === 0) return null;
  return (
    <ul class="guest-tiles" aria-label="On the stage" data-guests={guests.length}>
      {guests.map((guest) => (
        <GuestTile key={guest.id} guest={guest} sound={sound} />
      ))}
    </ul>
  );
}
