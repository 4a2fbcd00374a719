// A field for an e-mail address.
import type { Signal } from '@preact/signals';
import { TextField } from './field.tsx';

type EmailFieldProps = {
  label?: string;
  value: Signal<string>;
  fault?: string | undefined;
  /** Where it is what one logs in with, and may fill in a passkey. */
  autocomplete?: 'email' | 'username webauthn';
};

export function EmailField({
  label = 'E-mail',
  value,
  fault,
  autocomplete = 'email',
}: EmailFieldProps) {
  return (
    <TextField
      label={label}
      name="email"
      type="email"
      inputMode="email"
      autocomplete={autocomplete}
      required
      value={value}
      fault={fault}
      data-testid="email"
    />
  );
}
