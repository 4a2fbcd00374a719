// The quality menu: what of the picture a viewer wants to be sent.
import { useId, useRef } from 'preact/hooks';
import { effectiveQuality, type PictureQuality, qualitiesOf } from '../models/picture-quality.ts';
import type { Player } from '../models/player.ts';
import { useApp } from './app-context.ts';
import { IconButton } from './button.tsx';
import { SlidersIcon } from './icons.tsx';
import './quality-menu.css';

function wordsOf(quality: PictureQuality): { label: string; hint: string } {
  if (typeof quality === 'number') return { label: `${quality}p`, hint: '' };
  const words = {
    auto: { label: 'Auto', hint: 'As large as it is shown' },
    saver: { label: 'Data saver', hint: 'The smallest picture' },
    sound: { label: 'Sound only', hint: 'No picture at all' },
  };
  return words[quality];
}

/** Beside the button that opens it; on narrow screens the style sheet puts it at the lower edge. */
function standBeside(menu: HTMLElement, button: Element): void {
  const { right, top } = button.getBoundingClientRect();
  menu.style.setProperty('--menu-right', `${Math.round(innerWidth - right)}px`);
  menu.style.setProperty('--menu-bottom', `${Math.round(innerHeight - top + 8)}px`);
}

export function QualityMenu({ player }: { player: Player }) {
  const { pictureQuality } = useApp();
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const sizes = player.sizes.value;
  const checked = effectiveQuality(pictureQuality.chosen.value, sizes);
  return (
    <>
      <IconButton
        label={`Picture quality: ${wordsOf(checked).label}`}
        popoverTarget={`${id}menu`}
        onClick={({ currentTarget }) => menu.current && standBeside(menu.current, currentTarget)}
        data-testid="quality-open"
      >
        <SlidersIcon />
      </IconButton>
      <div
        ref={menu}
        id={`${id}menu`}
        class="quality-menu"
        popover="auto"
        data-testid="quality-menu"
      >
        <fieldset>
          <legend>Picture</legend>
          {qualitiesOf(sizes).map((quality) => {
            const { label, hint } = wordsOf(quality);
            return (
              <label key={quality} class="quality-choice">
                <input
                  type="radio"
                  name={`${id}quality`}
                  checked={quality === checked}
                  onChange={() => pictureQuality.choose(quality)}
                  // Arrow keys walk through the choices; a press is meant.
                  onClick={({ detail }) => detail > 0 && menu.current?.hidePopover()}
                  data-testid={`quality-${quality}`}
                />
                <span class="quality-name">{label}</span>
                {hint && <span class="quality-hint">{hint}</span>}
              </label>
            );
          })}
        </fieldset>
      </div>
    </>
  );
}
