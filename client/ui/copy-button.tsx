// A button that copies a text, and says whether the browser let it.
import type { ComponentChildren } from 'preact';
import { useApp } from './app-context.ts';
import { Button, type ButtonLook } from './button.tsx';
import { CopyIcon } from './money-icons.tsx';

type CopyButtonProps = {
  text: string;
  /** Said when it is copied. */
  told: string;
  look?: ButtonLook;
  children: ComponentChildren;
  'data-testid'?: string;
};

export function CopyButton({ text, told, look = 'ghost', children, ...rest }: CopyButtonProps) {
  const { toasts } = useApp();
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      toasts.show(told, 'good');
    } catch {
      // The browser, or the person, does not let pages write to the clipboard.
      toasts.show('This browser does not let the page copy.', 'bad');
    }
  }
  return (
    <Button {...rest} size="small" look={look} onClick={copy}>
      <CopyIcon size={16} /> {children}
    </Button>
  );
}
