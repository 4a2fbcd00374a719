// The choice of the theme: as the system has it, light or dark.
import { type Theme, themes } from '../models/theme.ts';
import { useApp } from './app-context.ts';
import { IconButton } from './button.tsx';
import { Segment } from './field.tsx';
import { MoonIcon, SunIcon, SystemIcon } from './icons.tsx';

const faces = {
  system: { Icon: SystemIcon, label: 'System' },
  light: { Icon: SunIcon, label: 'Light' },
  dark: { Icon: MoonIcon, label: 'Dark' },
};

export function ThemeChoice() {
  const { theme } = useApp();
  return (
    <Segment<Theme>
      label="Theme"
      value={theme.value}
      onPick={(picked) => {
        theme.value = picked;
      }}
      options={themes.map((value) => {
        const { Icon, label } = faces[value];
        return {
          value,
          testId: `theme-${value}`,
          label: (
            <>
              <Icon size={17} /> {label}
            </>
          ),
        };
      })}
    />
  );
}

/** One button that turns light into dark and back. */
export function ThemeToggle() {
  const { theme } = useApp();
  const dark =
    theme.value === 'dark' ||
    (theme.value === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  return (
    <IconButton
      label={dark ? 'Use the light theme' : 'Use the dark theme'}
      data-testid="theme-toggle"
      onClick={() => {
        theme.value = dark ? 'light' : 'dark';
      }}
    >
      {dark ? <SunIcon /> : <MoonIcon />}
    </IconButton>
  );
}
