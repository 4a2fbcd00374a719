// The way around the settings: one link for each of their pages.
import { useApp } from './app-context.ts';
import { PersonIcon, ShieldIcon } from './icons.tsx';
import { ListIcon } from './money-icons.tsx';
import './settings-nav.css';

const places = [
  { href: '/settings', label: 'Account', Icon: PersonIcon },
  { href: '/settings/security', label: 'Security', Icon: ShieldIcon },
  { href: '/settings/data', label: 'Data', Icon: ListIcon },
] as const;

export function SettingsNav() {
  const { router } = useApp();
  const path = router.url.value.pathname.replace(/\/+$/, '');
  return (
    <nav class="settings-nav" aria-label="Settings">
      {places.map(({ href, label, Icon }) => (
        <a key={href} href={href} aria-current={href === path ? 'page' : undefined}>
          <Icon size={18} /> {label}
        </a>
      ))}
    </nav>
  );
}
