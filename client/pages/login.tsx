// Log in.
import { useMemo } from 'preact/hooks';
import { createLoginForm } from '../models/auth-form.ts';
import { useApp } from '../ui/app-context.ts';
import { AuthFrame } from '../ui/auth-frame.tsx';
import { EmailField } from '../ui/email-field.tsx';
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
