// The links between the pages of one part, beside the heading; the one that is shown is marked.
import { useApp } from './app-context.ts';
import type { PersonIcon } from './icons.tsx';
import './page-nav.css';

export type PageNavLink = { href: string; label: string; Icon: typeof PersonIcon; testId: string };

type PageNavProps = { label: string; links: readonly PageNavLink[] };

export function PageNav({ label, links }: PageNavProps) {
  const { router } = useApp();
  const here = router.url.value.pathname.replace(/\/+$/, '');
  return (
    <nav class="page-nav" aria-label={label}>
      {links.map(({ href, label, Icon, testId }) => (
        <a
          key={href}
          href={href}
          aria-current={href === here ? 'page' : undefined}
          data-testid={testId}
        >
          <Icon size={18} /> {label}
        </a>
      ))}
    </nav>
  );
}
