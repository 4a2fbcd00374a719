// A password field that can show what was typed.
import type { Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import { IconButton } from './button.tsx';
import { TextField } from './field.tsx';
import { EyeIcon, EyeOffIcon } from './icons.tsx';

type PasswordFieldProps = {
  label?: string;
  value: Signal<string>;
  autocomplete: 'current-password' | 'new-password';
  hint?: string;
  fault?: string | undefined;
  'data-testid'?: string;
};

export function PasswordField(props: PasswordFieldProps) {
  const { label = 'Password', value, autocomplete, hint, fault } = props;
  const visible = useSignal(false);
  return (
    <TextField
      label={label}
      name={autocomplete}
      type={visible.value ? 'text' : 'password'}
      value={value}
      autocomplete={autocomplete}
      hint={hint}
      fault={fault}
      required
      data-testid={props['data-testid'] ?? 'password'}
      end={
        <IconButton
          label={visible.value ? 'Hide the password' : 'Show the password'}
          aria-pressed={visible.value}
          onClick={() => {
            visible.value = !visible.value;
          }}
        >
          {visible.value ? <EyeOffIcon /> : <EyeIcon />}
        </IconButton>
      }
    />
  );
}
