// Register: create an account.
import { useEffect, useMemo } from 'preact/hooks';
import { createRegisterForm } from '../models/auth-form.ts';
import { safeReturnPath } from '../models/router.ts';
import { useApp } from '../ui/app-context.ts';
import { AuthFrame } from '../ui/auth-frame.tsx';
import { Button } from '../ui/button.tsx';
import { countryOptions, likelyCountry } from '../ui/countries.ts';
import { SelectField, TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { PasswordField } from '../ui/password-field.tsx';

const oldestYears = 120;

function isoDay(yearsAgo: number): string {
  const day = new Date();
  day.setFullYear(day.getFullYear() - yearsAgo);
  return day.toISOString().slice(0, 10);
}

type Form = ReturnType<typeof createRegisterForm>;

function PersonFields({ form }: { form: Form }) {
  const fields = form.fields.value;
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
        value={form.dateOfBirth}
        fault={fields.dateOfBirth}
        hint="You must be 18 or older."
        data-testid="date-of-birth"
      />
      <SelectField
        label="Country"
        name="country"
        autocomplete="country"
        value={form.country.value}
        options={countries}
        onPick={(country) => {
          form.country.value = country;
        }}
        fault={fields.country}
        data-testid="country"
      />
    </div>
  );
}

export function RegisterPage() {
  const { session, router } = useApp();
  const form = useMemo(
    () => createRegisterForm(session, likelyCountry(navigator.language)),
    [session],
  );
  const next = router.search.value.get('next');
  const user = session.user.value;
  useEffect(() => {
    if (user) router.go(safeReturnPath(next), { replace: true });
  }, [user, next, router]);
  const fields = form.fields.value;
  return (
    <AuthFrame
      name="register"
      title="Join LivePanty"
      lead="Free to join. Chat at once, tip when you like, go live when you dare."
      foot={
        <>
          You have an account?{' '}
          <a href={next ? `/login?next=${encodeURIComponent(next)}` : '/login'}>Log in</a>
        </>
      }
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          form.submit();
        }}
      >
        {form.fault.value && <Notice tone="bad">{form.fault.value}</Notice>}
        <TextField
          label="E-mail"
          name="email"
          type="email"
          inputMode="email"
          autocomplete="email"
          required
          value={form.email}
          fault={fields.email}
          data-testid="email"
        />
        <TextField
          label="User name"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          maxLength={24}
          required
          value={form.username}
          fault={fields.username}
          hint="Everybody sees it in chat."
          data-testid="username"
        />
        <PasswordField
          value={form.password}
          autocomplete="new-password"
          hint="At least 10 characters."
          fault={fields.password}
        />
        <PersonFields form={form} />
        <Button
          look="primary"
          size="large"
          type="submit"
          wide
          busy={form.busy.value}
          data-testid="register-submit"
        >
          Create the account
        </Button>
      </form>
    </AuthFrame>
  );
}
