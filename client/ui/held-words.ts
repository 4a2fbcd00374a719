// What to tell somebody of whose sound or picture is kept from everybody.
import type { MediaHold } from '#contract';

/** Null when nothing is held. */
export function heldWords({ sound, picture }: MediaHold): string | null {
  if (sound && picture)
    return 'You are muted and your picture is paused: nobody sees or hears you.';
  if (sound) return 'You are muted: nobody hears you.';
  return picture ? 'Your picture is paused: nobody sees you.' : null;
}
