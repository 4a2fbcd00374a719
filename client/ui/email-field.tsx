// A field for an e-mail address.
import type { Signal } from '@preact/signals';
import { TextField } from './field.tsx';

type EmailFieldProps = { value: Signal<string>; fault?: string | undefined };

export function EmailField({ value, fault }: EmailFieldProps) {
  return (
    <TextField
      label="E-mail"
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
