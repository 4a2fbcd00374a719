// Register: create an account.
import { useMemo } from 'preact/hooks';
import { createRegisterForm } from '../models/auth-form.ts';
import { useApp } from '../ui/app-context.ts';
import { AuthFrame } from '../ui/auth-frame.tsx';
import { countryOptions, likelyCountry } from '../ui/countries.ts';
import { EmailField } from '../ui/email-field.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { PasswordField } from '../ui/password-field.tsx';

const oldestYears = 120;

function isoDay(yearsAgo: number): string {
  const day = new Date();
  day.setFullYear(day.getFullYear() - yearsAgo);
  return day.toISOString().slice(0, 10);
}

type Form = ReturnType<typeof createRegisterForm>;

function PersonFields({ form }: { form: Form }) {
  const { typed } = form;
  const faults = form.faults.value;
  const countries = useMemo(() => countryOptions(navigator.language), []);
  return (
    <div class="auth-pair">
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
        hint="You must be 18 or older."
        data-testid="date-of-birth"
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
        data-testid="country"
      />
    </div>
  );
}

export function RegisterPage() {
  const { session } = useApp();
  const form = useMemo(
    () => createRegisterForm(session, likelyCountry(navigator.language)),
    [session],
  );
  const { typed } = form;
  const faults = form.faults.value;
  return (
    <AuthFrame
      name="register"
      title="Join LivePanty"
      lead="Free to join. Chat at once, tip when you like, go live when you dare."
      form={form}
      action="Create the account"
      question="You have an account?"
      answer="Log in"
    >
      <EmailField value={typed.email} fault={faults.email} />
      <TextField
        label="User name"
        name="username"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        maxLength={24}
        required
        value={typed.username}
        fault={faults.username}
        hint="Everybody sees it in chat."
        data-testid="username"
      />
      <PasswordField
        value={typed.password}
        autocomplete="new-password"
        hint="At least 10 characters."
        fault={faults.password}
      />
      <PersonFields form={form} />
    </AuthFrame>
  );
}
