// Forgot password: asks for the address, and says the same whether it is somebody's or not.
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { createAccountApi } from '../models/account-api.ts';
import { createForgotForm } from '../models/account-forms.ts';
import { useApp } from '../ui/app-context.ts';
import { CardForm, CardPage } from '../ui/auth-frame.tsx';
import { EmailField } from '../ui/email-field.tsx';
import { Notice } from '../ui/notice.tsx';

export function ForgotPasswordPage() {
  const { api } = useApp();
  const form = useMemo(() => createForgotForm(createAccountApi(api.request)), [api]);
  const sentTo = useSignal<string | null>(null);
  return (
    <CardPage
      name="forgot-password"
      title="Choose a new password"
      lead="We mail you a link by which you choose another one."
    >
      {sentTo.value && (
        <div data-testid="forgot-sent">
          <Notice tone="good">
            If there is an account with the address {sentTo.value}, a mail is on its way. Its link
            works for 30 minutes. Nothing there? Look among the spam.
          </Notice>
        </div>
      )}
      <CardForm
        name="forgot"
        form={form}
        action="Mail me a link"
        onSent={() => {
          sentTo.value = form.typed.email.peek().trim();
        }}
      >
        <EmailField value={form.typed.email} fault={form.faults.value.email} />
      </CardForm>
      <p class="auth-foot">
        It has come back to you? <a href="/login">Log in</a>
      </p>
    </CardPage>
  );
}
