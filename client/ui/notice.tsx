// Notices: what a page says when there is nothing to show, or when something went wrong.
import type { ComponentChildren } from 'preact';
import { Button } from './button.tsx';
import { AlertIcon, CheckIcon, InfoIcon, RefreshIcon } from './icons.tsx';
import './notice.css';

type Tone = 'info' | 'good' | 'warn' | 'bad';

/** A line or two beside the thing that they are about. */
export function Notice({ tone = 'info', children }: { tone?: Tone; children: ComponentChildren }) {
  const Icon = tone === 'good' ? CheckIcon : tone === 'info' ? InfoIcon : AlertIcon;
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon />
      <div>{children}</div>
    </div>
  );
}

type EmptyProps = {
  /** True where nothing else is on the page: the title is that of the page. */
  alone?: boolean;
  art?: ComponentChildren;
  title: string;
  children?: ComponentChildren;
  action?: ComponentChildren;
};

/** Fills the place of content that is not there. */
export function Empty({ alone = false, art, title, children, action }: EmptyProps) {
  const Title = alone ? 'h1' : 'h2';
  return (
    <div class="empty">
      {art && <div class="empty-art">{art}</div>}
      <Title>{title}</Title>
      {children && <div class="soft">{children}</div>}
      {action && <div class="empty-action">{action}</div>}
    </div>
  );
}

type FaultProps = { text: string; onRetry: () => void; alone?: boolean };

/** Something could not be fetched; fetching again may help. */
export function Fault({ text, onRetry, alone = false }: FaultProps) {
  return (
    <Empty
      alone={alone}
      art={<AlertIcon size={36} />}
      title="That did not load"
      action={
        <Button onClick={onRetry} data-testid="retry">
          <RefreshIcon size={18} /> Try again
        </Button>
      }
    >
      <p role="alert">{text}</p>
    </Empty>
  );
}
