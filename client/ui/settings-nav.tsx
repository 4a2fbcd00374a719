// The ways between the pages of one's settings.
import { useEffect, useRef } from 'preact/hooks';
import type { SettingsView } from '../models/router.ts';
import './settings-nav.css';

const places = [
  { view: 'account', href: '/settings', label: 'Account' },
  { view: 'profile', href: '/settings/profile', label: 'Profile' },
  { view: 'preferences', href: '/settings/preferences', label: 'Preferences' },
  { view: 'people', href: '/settings/people', label: 'People' },
  { view: 'security', href: '/settings/security', label: 'Security' },
] as const;

export function SettingsNav({ here }: { here: SettingsView | 'account' | 'security' }) {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone the row is wider than the screen.
    const current = nav.current?.querySelector('[aria-current]');
    current?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, [here]);
  return (
    <nav ref={nav} class="settings-nav" aria-label="Settings">
      {places.map(({ view, href, label }) => (
        <a
          key={view}
          href={href}
          aria-current={view === here ? 'page' : undefined}
          data-testid={`settings-${view}`}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}
