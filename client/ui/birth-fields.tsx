// When somebody was born and where they are, beside each other: for who joins, and for guests at the age gate.
import type { Signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { countryOptions } from './countries.ts';
import { SelectField, TextField } from './field.tsx';
import './birth-fields.css';

const oldestYears = 120;

function isoDay(yearsAgo: number): string {
  const day = new Date();
  day.setFullYear(day.getFullYear() - yearsAgo);
  return day.toISOString().slice(0, 10);
}

type BirthFieldsProps = {
  typed: { dateOfBirth: Signal<string>; country: Signal<string> };
  faults: { dateOfBirth?: string; country?: string };
  hint?: string;
  /** Of their test ids, such as `gate-`. */
  prefix?: string;
};

export function BirthFields({ typed, faults, hint, prefix = '' }: BirthFieldsProps) {
  const countries = useMemo(() => countryOptions(navigator.language), []);
  return (
    <div class="birth-fields">
      <TextField
        label="Date of birth"
        name="dateOfBirth"
        type="date"
        autocomplete="bday"
        min={isoDay(oldestYears)}
        max={isoDay(0)}
        required
        value={typed.dateOfBirth}
        fault={faults.dateOfBirth}
        hint={hint}
        data-testid={`${prefix}date-of-birth`}
      />
      <SelectField
        label="Country"
        name="country"
        autocomplete="country"
        value={typed.country.value}
        options={countries}
        onPick={(country) => {
          typed.country.value = country;
        }}
        fault={faults.country}
        data-testid={`${prefix}country`}
      />
    </div>
  );
}
