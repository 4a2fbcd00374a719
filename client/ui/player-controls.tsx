// The player's controls: sound, how old the picture is, which way it comes, picture-in-picture, full screen.
import { useEffect, useState } from 'preact/hooks';
import type { Surface } from '../media/surface.ts';
import type { Choice, HlsReason, Player } from '../models/player.ts';
import { IconButton } from './button.tsx';
import { Segment } from './field.tsx';
import { ExpandIcon, PictureIcon, ShrinkIcon, SoundIcon, SoundOffIcon } from './icons.tsx';
import { QualityMenu } from './quality-menu.tsx';
import './player-controls.css';

const hlsWords: Record<HlsReason, string> = {
  chosen: 'You chose HLS: a few seconds behind, and steady on weak networks.',
  fallback: 'The live connection does not get through here. It is tried again by itself.',
  placed: 'All live places are taken. HLS is a few seconds behind.',
  unsupported: 'This browser cannot take the live connection.',
  codec: 'This browser cannot decode the live picture: HLS is a few seconds behind.',
};

function Sound({ surface }: { surface: Surface }) {
  const muted = surface.muted.value || surface.volume.value === 0;
  return (
    <div class="controls-sound">
      <IconButton
        label={muted ? 'Sound on' : 'Sound off'}
        aria-keyshortcuts="m"
        onClick={surface.toggleMute}
        data-testid="mute"
      >
        {muted ? <SoundOffIcon /> : <SoundIcon />}
      </IconButton>
      <input
        type="range"
        class="volume"
        aria-label="Volume"
        min="0"
        max="1"
        step="0.05"
        value={muted ? 0 : surface.volume.value}
        onInput={(event) => surface.setVolume(Number(event.currentTarget.value))}
        data-testid="volume"
      />
    </div>
  );
}

/** "0.2 s" below ten seconds, whole seconds above. */
function secondsText(latencyMs: number): string {
  const seconds = latencyMs / 1_000;
  return seconds < 9.95 ? `${Math.max(0.1, seconds).toFixed(1)} s` : `${Math.round(seconds)} s`;
}

function QualityBadge({ surface, player }: { surface: Surface; player: Player }) {
  const latencyMs = player.latencyMs.value;
  const height = surface.heightPixels.value;
  const playing = player.state.value === 'playing';
  const isSoundOnly = player.state.value === 'sound';
  if (isSoundOnly || (height === 0 && latencyMs === null)) return null;
  return (
    <span
      class={`quality ${playing ? player.transport.value : 'idle'}`}
      data-testid="quality-badge"
      title="Height of the picture, and how far it is behind"
    >
      <i aria-hidden="true" />
      <span class="figure">
        {height > 0 && <span class="quality-height">{height}p</span>}
        {playing && latencyMs !== null && <span>{secondsText(latencyMs)}</span>}
      </span>
    </span>
  );
}

/** Pointer or keys near the picture show the controls; stillness hides them. */
const hideAfterMs = 2_600;

function useIdle(): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stir = () => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), hideAfterMs);
    };
    stir();
    const events = ['pointermove', 'pointerdown', 'keydown', 'focusin'] as const;
    for (const name of events) document.addEventListener(name, stir, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const name of events) document.removeEventListener(name, stir);
    };
  }, []);
  return idle;
}

export function PlayerControls({ surface, player }: { surface: Surface; player: Player }) {
  const idle = useIdle();
  const reason = player.hlsReason.value;
  const full = surface.fullscreen.value;
  return (
    <div class={idle && player.state.value === 'playing' ? 'controls idle' : 'controls'}>
      {reason && player.transport.value === 'hls' && reason !== 'chosen' && (
        <p class="controls-reason" role="status">
          {hlsWords[reason]}
        </p>
      )}
      <div class="controls-row">
        <Sound surface={surface} />
        <QualityBadge surface={surface} player={player} />
        <span class="controls-gap" />
        <Segment<Choice>
          label="How the picture comes"
          value={reason === null ? player.choice.value : 'hls'}
          onPick={(choice) => player.choose(choice)}
          options={[
            {
              value: 'live',
              label: 'Live',
              testId: 'transport-webrtc',
              title: 'No delay to speak of',
            },
            { value: 'hls', label: 'HLS', testId: 'transport-hls', title: hlsWords.chosen },
          ]}
        />
        <QualityMenu player={player} />
        {surface.canPictureInPicture && (
          <span class="controls-pip">
            <IconButton
              label={surface.inPicture.value ? 'Leave picture-in-picture' : 'Picture-in-picture'}
              aria-keyshortcuts="p"
              onClick={surface.togglePictureInPicture}
              data-testid="pip"
            >
              <PictureIcon />
            </IconButton>
          </span>
        )}
        <IconButton
          label={full ? 'Leave full screen' : 'Full screen'}
          aria-keyshortcuts="f"
          onClick={surface.toggleFullscreen}
          data-testid="fullscreen"
        >
          {full ? <ShrinkIcon /> : <ExpandIcon />}
        </IconButton>
      </div>
    </div>
  );
}
