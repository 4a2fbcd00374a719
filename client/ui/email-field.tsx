// A field for an e-mail address.
import type { Signal } from '@preact/signals';
import { TextField } from './field.tsx';

type EmailFieldProps = { label?: string; value: Signal<string>; fault?: string | undefined };

export function EmailField({ label = 'E-mail', value, fault }: EmailFieldProps) {
  return (
    <TextField
      label={label}
      name="email"
      type="email"
      inputMode="email"
      autocomplete="email"
      required
      value={value}
      fault={fault}
      data-testid="email"
    />
  );
}
