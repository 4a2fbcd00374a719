// Register: create an account.
import { useMemo } from 'preact/hooks';
import { createRegisterForm } from '../models/auth-form.ts';
import { useApp } from '../ui/app-context.ts';
import { AuthFrame, OtherWay } from '../ui/auth-frame.tsx';
import { BirthFields } from '../ui/birth-fields.tsx';
import { likelyCountry } from '../ui/countries.ts';
import { EmailField } from '../ui/email-field.tsx';
import { TextField } from '../ui/field.tsx';
import { PasswordField } from '../ui/password-field.tsx';

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
      foot={<OtherWay to="/login" question="You have an account?" answer="Log in" />}
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
      <BirthFields typed={typed} faults={faults} hint="You must be an adult where you live." />
    </AuthFrame>
  );
}
