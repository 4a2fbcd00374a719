// The player: one picture, whichever way it comes, with its controls and what there is to say about it.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Stream } from '#contract';
import { watchBox } from '../media/picture-box.ts';
import { createSurface, type Surface } from '../media/surface.ts';
import type { Player as PlayerModel, PlayerState } from '../models/player.ts';
import { hostPlace } from '../models/viewing.ts';
import type { Watch } from '../models/watch.ts';
import { useApp } from './app-context.ts';
import { Button } from './button.tsx';
import { GuestTiles } from './guest-tiles.tsx';
import { SoundIcon } from './icons.tsx';
import { PlayerControls } from './player-controls.tsx';
import { StreamPicture } from './stream-picture.tsx';
import { TipStage } from './tip-stage.tsx';
import './player.css';

const words: Record<PlayerState, string> = {
  connecting: 'Connecting',
  playing: '',
  buffering: 'One moment',
  waiting: 'The picture is not there yet. It appears by itself.',
  held: 'The picture is paused.',
  unplayable: 'This browser cannot play HLS: it has no decoder for H264.',
  sound: 'Sound only',
  ended: '',
  failed: 'The stream cannot be reached.',
};

const neitherWay =
  'This browser cannot play this stream: it has no decoder for the live picture, and none for H264, which HLS needs.';

type VeilProps = {
  state: PlayerState;
  lacksCodec: boolean;
  stream: Stream | null;
  shown: boolean;
  onRetry: () => void;
};

/** What lies over the picture while there is none. */
function Veil({ state, lacksCodec, stream, shown, onRetry }: VeilProps) {
  if (state === 'playing' || state === 'ended') return null;
  const text = state === 'unplayable' && lacksCodec ? neitherWay : words[state];
  const busy = state === 'connecting' || state === 'buffering' || state === 'waiting';
  return (
    <div class={`veil ${state}`}>
      {stream && !shown && state !== 'held' && state !== 'sound' && (
        <div class="veil-picture">
          <StreamPicture stream={stream} />
        </div>
      )}
      <div class="veil-words" role="status">
        {busy && <span class="spinner" aria-hidden="true" />}
        {state === 'sound' && <SoundIcon size={22} />}
        {text && <span>{text}</span>}
        {state === 'failed' && (
          <Button onClick={onRetry} data-testid="player-retry">
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

function useSurface(watch: Watch) {
  const { clock } = useApp();
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const still = useRef<HTMLCanvasElement>(null);
  const surface = useSignal<Surface | null>(null);
  useEffect(() => {
    if (!frame.current || !video.current || !still.current) return;
    const made = createSurface(
      { frame: frame.current, video: video.current, still: still.current },
      clock,
    );
    // Before anything is asked for: the first picture comes in the right size.
    const { viewing } = watch;
    const stopPlacing = watchBox(video.current, 'contain', clock, (box) =>
      viewing.place(hostPlace, box),
    );
    const unmount = watch.mount(made);
    surface.value = made;
    return () => {
      unmount();
      stopPlacing();
      viewing.place(hostPlace, null);
      made.close();
      surface.value = null;
    };
  }, [watch, clock, surface]);
  return { frame, video, still, surface };
}

function onKey(event: KeyboardEvent, surface: Surface): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLInputElement && event.target.type !== 'radio') return;
  if (event.key === 'm') surface.toggleMute();
  else if (event.key === 'f') surface.toggleFullscreen();
  else if (event.key === 'p' && surface.canPictureInPicture) surface.togglePictureInPicture();
}

type PlayerProps = { watch: Watch };

export function Player({ watch }: PlayerProps) {
  const { frame, video, still, surface: surfaceSignal } = useSurface(watch);
  const surface = surfaceSignal.value;
  const player: PlayerModel | null = watch.player.value;
  const state = watch.ended.value ? 'ended' : (player?.state.value ?? 'connecting');
  const shown = player?.shownOnce.value ?? false;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are shortcuts for the buttons inside.
    <div
      ref={frame}
      class="player"
      data-state={state}
      onKeyDown={(event) => surface && onKey(event, surface)}
    >
      {/* biome-ignore lint/a11y/useMediaCaption: what is said live has no captions to offer. */}
      <video
        ref={video}
        class="player-video"
        playsInline
        autoplay
        data-testid="player"
        data-transport={player?.transport.value ?? 'webrtc'}
        data-state={state}
        aria-label="Live picture"
      />
      <canvas ref={still} class="player-still" hidden />
      {surface && player && (
        <GuestTiles
          guests={player.guests.value}
          sound={{ muted: surface.muted.value, volume: surface.volume.value }}
          place={watch.viewing.place}
        />
      )}
      <Veil
        state={state}
        lacksCodec={player?.hlsReason.value === 'codec'}
        stream={watch.stream.value.value}
        shown={shown}
        onRetry={() => watch.retry()}
      />
      <TipStage show={watch.tipShow} />
      {surface?.needsTap.value && state !== 'ended' && (
        <button
          type="button"
          class="tap-for-sound"
          onClick={() => surface.tap()}
          data-testid="tap-for-sound"
        >
          <SoundIcon size={22} /> Tap for sound
        </button>
      )}
      {surface && player && state !== 'ended' && (
        <PlayerControls surface={surface} player={player} />
      )}
    </div>
  );
}
