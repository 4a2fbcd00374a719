// Buttons and links that look like buttons.
import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import './button.css';

export type ButtonLook = 'primary' | 'gold' | 'quiet' | 'ghost' | 'danger';
type Size = 'small' | 'normal' | 'large';

type LookProps = { look?: ButtonLook; size?: Size; wide?: boolean };

function classOf({ look = 'quiet', size = 'normal', wide = false }: LookProps): string {
  return `button ${look} ${size}${wide ? ' wide' : ''}`;
}

type ButtonProps = LookProps &
  Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'size'> & {
    /** Shows that the button's work is under way and takes no second press. */
    busy?: boolean;
    children?: ComponentChildren;
  };

/** Takes no press, a form's Enter key included. */
function ignore(event: Event): void {
  event.preventDefault();
}

export function Button({ look, size, wide, busy, children, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      class={classOf({ ...(look && { look }), ...(size && { size }), ...(wide && { wide }) })}
      // A disabled button would lose the focus of who has just pressed it.
      aria-disabled={busy ? 'true' : undefined}
      aria-busy={busy ? 'true' : undefined}
      onClick={busy ? ignore : onClick}
    >
      {busy && <span class="spinner" aria-hidden="true" />}
      {children}
    </button>
  );
}

type LinkProps = LookProps & { href: string; children: ComponentChildren; 'data-testid'?: string };

export function ButtonLink({ look, size, wide, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      class={classOf({ ...(look && { look }), ...(size && { size }), ...(wide && { wide }) })}
    />
  );
}

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'label'> & {
  /** Said by screen readers and shown on hover. */
  label: string;
  children: ComponentChildren;
};

export function IconButton({ label, children, ...rest }: IconButtonProps) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} {...rest}>
      {children}
    </button>
  );
}
