// The bar that asks somebody to confirm their address: until then they look round only.
import { useSignal } from '@preact/signals';
import { createAccountApi } from '../models/account-api.ts';
import { messageOf } from '../models/api-error.ts';
import { useApp } from './app-context.ts';
import { Button } from './button.tsx';
import './verify-bar.css';

function Resend() {
  const { api, toasts } = useApp();
  const busy = useSignal(false);
  async function resend(): Promise<void> {
    busy.value = true;
    try {
      await createAccountApi(api.request).resendVerification();
      toasts.show('A new link is on its way. Older ones do not work any more.', 'good');
    } catch (error) {
      toasts.show(messageOf(error), 'bad');
    } finally {
      busy.value = false;
    }
  }
  return (
    <Button
      look="ghost"
      size="small"
      busy={busy.value}
      onClick={resend}
      data-testid="verify-resend"
    >
      Send it again
    </Button>
  );
}

export function VerifyBar() {
  const { session, router } = useApp();
  const user = session.user.value;
  if (!user || user.emailVerified || router.route.value.page === 'mailed-link') return null;
  return (
    <aside class="verify-bar" aria-label="Your e-mail address" data-testid="verify-bar">
      <p>
        <b>Confirm your e-mail address:</b> open the link that we have mailed to {user.email}. Until
        then you can look round.
      </p>
      <Resend />
    </aside>
  );
}
