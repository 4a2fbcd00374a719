// Badges: LIVE, viewers, roles.
import type { ComponentChildren } from 'preact';
import { formatCount, formatShort } from './format.ts';
import { EyeIcon } from './icons.tsx';
import './badge.css';

export function LiveBadge({ children = 'Live' }: { children?: ComponentChildren }) {
  return (
    <span class="badge live">
      <i aria-hidden="true" />
      {children}
    </span>
  );
}

export function ViewersBadge({ viewers }: { viewers: number }) {
  const words = viewers === 1 ? '1 viewer' : `${formatCount(viewers)} viewers`;
  return (
    <span class="badge dim figure" title={words}>
      <EyeIcon size={14} />
      <span aria-hidden="true">{formatShort(viewers)}</span>
      <span class="sr-only">{words}</span>
    </span>
  );
}

export function Badge({
  tone = 'plain',
  children,
}: {
  tone?: string;
  children: ComponentChildren;
}) {
  return <span class={`badge ${tone}`}>{children}</span>;
}
