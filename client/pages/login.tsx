// Log in.
import { useEffect, useMemo } from 'preact/hooks';
import { createLoginForm } from '../models/auth-form.ts';
import { safeReturnPath } from '../models/router.ts';
import { useApp } from '../ui/app-context.ts';
import { AuthFrame } from '../ui/auth-frame.tsx';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { PasswordField } from '../ui/password-field.tsx';

export function LoginPage() {
  const { session, router } = useApp();
  const form = useMemo(() => createLoginForm(session), [session]);
  const next = router.search.value.get('next');
  const user = session.user.value;
  useEffect(() => {
    if (user) router.go(safeReturnPath(next), { replace: true });
  }, [user, next, router]);
  const fields = form.fields.value;
  return (
    <AuthFrame
      name="login"
      title="Welcome back"
      lead="Log in to chat, tip and go live."
      foot={
        <>
          New here?{' '}
          <a href={next ? `/register?next=${encodeURIComponent(next)}` : '/register'}>
            Create an account
          </a>
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
          autocomplete="email"
          inputMode="email"
          required
          value={form.email}
          fault={fields.email}
          data-testid="email"
        />
        <PasswordField
          value={form.password}
          autocomplete="current-password"
          fault={fields.password}
        />
        <Button
          look="primary"
          size="large"
          type="submit"
          wide
          busy={form.busy.value}
          data-testid="login-submit"
        >
          Log in
        </Button>
      </form>
    </AuthFrame>
  );
}
