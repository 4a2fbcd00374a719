// The theme: dark, light, or as the system has it; remembered on this device.
import { effect, signal } from '@preact/signals';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];
/** Also read by `public/head.js`, which sets the theme before the first paint. */
export const themeKey = 'livepanty.theme';

export function createTheme(storage: Pick<Storage, 'getItem' | 'setItem'>, root: HTMLElement) {
  const stored = themes.find((theme) => theme === storage.getItem(themeKey));
  const theme = signal<Theme>(stored ?? 'system');
  effect(() => {
    storage.setItem(themeKey, theme.value);
    if (theme.value === 'system') delete root.dataset.theme;
    else root.dataset.theme = theme.value;
  });
  return theme;
}
