// A password field that can show what was typed.
import type { Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import { IconButton } from './button.tsx';
import { TextField } from './field.tsx';
import { EyeIcon, EyeOffIcon } from './icons.tsx';

type PasswordFieldProps = {
  value: Signal<string>;
  autocomplete: 'current-password' | 'new-password';
  hint?: string;
  fault?: string | undefined;
};

export function PasswordField({ value, autocomplete, hint, fault }: PasswordFieldProps) {
  const visible = useSignal(false);
  return (
    <TextField
      label="Password"
      name="password"
      type={visible.value ? 'text' : 'password'}
      value={value}
      autocomplete={autocomplete}
      hint={hint}
      fault={fault}
      required
      data-testid="password"
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
