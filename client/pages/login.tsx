// Log in.
import { useEffect } from 'preact/hooks';
import { createLogin, type LoginModel } from '../models/login.ts';
import { createPasskeys } from '../models/passkeys.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { AuthFrame, OtherWay } from '../ui/auth-frame.tsx';
import { Button } from '../ui/button.tsx';
import { CodeField } from '../ui/code-field.tsx';
import { EmailField } from '../ui/email-field.tsx';
import { formatDay } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { KeyIcon } from '../ui/security-icons.tsx';

function PasskeyWay({ model }: { model: LoginModel }) {
  const { passkey } = model;
  if (!passkey.isSupported) return null;
  return (
    <div class="auth-beside">
      <p class="auth-or">or</p>
      <Button
        size="large"
        wide
        busy={passkey.busy.value}
        onClick={passkey.submit}
        data-testid="login-passkey"
      >
        <KeyIcon /> Log in with a passkey
      </Button>
      {passkey.fault.value && <Notice tone="bad">{passkey.fault.value}</Notice>}
    </div>
  );
}

/** Whoever logs in to an account that they have closed may have it back. */
function KeepOffer({ model }: { model: LoginModel }) {
  const { eraseAt, password, keepAccount } = model;
  if (!eraseAt.value) return null;
  return (
    <div class="stack" data-testid="login-closing">
      <p>
        It is going to be erased on <b>{formatDay(eraseAt.value)}</b>.
      </p>
      <Button wide busy={password.busy.value} onClick={keepAccount} data-testid="login-keep">
        Log in and keep my account
      </Button>
    </div>
  );
}

function PasswordStep({ model }: { model: LoginModel }) {
  const { password, told } = model;
  const faults = password.faults.value;
  return (
    <AuthFrame
      name="login"
      title="Welcome back"
      lead="Log in to chat, tip and go live."
      form={password}
      action="Log in"
      beside={<PasskeyWay model={model} />}
      foot={<OtherWay to="/register" question="New here?" answer="Create an account" />}
    >
      {told.value && (
        <Notice tone="warn">
          <span data-testid="login-told">{told.value}</span>
        </Notice>
      )}
      <KeepOffer model={model} />
      <EmailField
        value={password.typed.email}
        fault={faults.email}
        autocomplete="username webauthn"
      />
      <PasswordField
        value={password.typed.password}
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

function CodeStep({ model }: { model: LoginModel }) {
  return (
    <AuthFrame
      name="login"
      title="One more step"
      lead="Your password was right. This account asks for a second factor as well."
      form={model.code}
      action="Go on"
      foot={
        <button
          type="button"
          class="text-button"
          onClick={() => model.back()}
          data-testid="login-back"
        >
          Back to the password
        </button>
      }
    >
      <KeepOffer model={model} />
      <CodeField form={model.code} />
    </AuthFrame>
  );
}

export function LoginPage() {
  const { session } = useApp();
  const model = useLife(() => createLogin({ session, passkeys: createPasskeys(window) }), session);
  const isNobody = !session.restoring.value && !session.user.value;
  useEffect(() => {
    if (isNobody) void model.passkey.offer();
  }, [isNobody, model]);
  return model.challenge.value === null ? (
    <PasswordStep key="password" model={model} />
  ) : (
    <CodeStep key="code" model={model} />
  );
}
