// Log in.
import { useMemo } from 'preact/hooks';
import { createLoginForm } from '../models/auth-form.ts';
import { useApp } from '../ui/app-context.ts';
import { AuthFrame } from '../ui/auth-frame.tsx';
import { Button } from '../ui/button.tsx';
import { EmailField } from '../ui/email-field.tsx';
import { formatDay } from '../ui/format.ts';
import { PasswordField } from '../ui/password-field.tsx';

export function LoginPage() {
  const { session } = useApp();
  const form = useMemo(() => createLoginForm(session), [session]);
  const faults = form.faults.value;
  return (
    <AuthFrame
      name="login"
      title="Welcome back"
      lead="Log in to chat, tip and go live."
      form={form}
      action="Log in"
      question="New here?"
      answer="Create an account"
    >
      {form.eraseAt.value && (
        <div class="stack" data-testid="login-closing">
          <p>
            It is going to be erased on <b>{formatDay(form.eraseAt.value)}</b>.
          </p>
          <Button wide busy={form.busy.value} onClick={form.keepAccount} data-testid="login-keep">
            Log in and keep my account
          </Button>
        </div>
      )}
      <EmailField value={form.typed.email} fault={faults.email} />
      <PasswordField
        value={form.typed.password}
        autocomplete="current-password"
        fault={faults.password}
      />
      <p class="auth-aside">
        <a href="/forgot-password" data-testid="forgot-password">
          Forgot your password?
        </a>
      </p>
    </AuthFrame>
  );
}
