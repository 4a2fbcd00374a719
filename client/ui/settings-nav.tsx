// The links between the pages of somebody's settings.
import { GaugeIcon, PeopleIcon, PersonIcon, PictureIcon, ShieldIcon } from './icons.tsx';
import { ListIcon } from './money-icons.tsx';
import { PageNav, type PageNavLink } from './page-nav.tsx';

const links: readonly PageNavLink[] = [
  { href: '/settings', label: 'Account', Icon: PersonIcon, testId: 'settings-account' },
  { href: '/settings/profile', label: 'Profile', Icon: PictureIcon, testId: 'settings-profile' },
  {
    href: '/settings/preferences',
    label: 'Preferences',
    Icon: GaugeIcon,
    testId: 'settings-preferences',
  },
  { href: '/settings/people', label: 'People', Icon: PeopleIcon, testId: 'settings-people' },
  { href: '/settings/security', label: 'Security', Icon: ShieldIcon, testId: 'settings-security' },
  { href: '/settings/data', label: 'Data', Icon: ListIcon, testId: 'settings-data' },
];

export function SettingsNav() {
  return <PageNav label="Settings" links={links} />;
}
