// The card of the authenticator app: adding it in steps, what is left of its recovery codes, and taking it off.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type AuthenticatorModel, inGroups } from '../models/authenticator.ts';
import type { SecurityPageModel } from '../models/security-page.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { CodeField } from './code-field.tsx';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { CopyButton } from './copy-button.tsx';
import { Fault, Notice } from './notice.tsx';
import { PasswordField } from './password-field.tsx';
import { QrCode } from './qr-code.tsx';
import { RecoveryCodes } from './recovery-codes.tsx';
import { useHeadingFocus, useReturnFocus } from './return-focus.ts';
import { Skeleton } from './skeleton.tsx';

/** With so few left it is time for new ones. */
const codesFew = 3;

type StepFormProps = {
  form: AuthenticatorModel['password'] | AuthenticatorModel['code'];
  action: string;
  onCancel: () => void;
  children: ComponentChildren;
};

function StepForm({ form, action, onCancel, children }: StepFormProps) {
  return (
    <form
      class="stack security-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit();
      }}
    >
      {children}
      {form.fault.value && <Notice tone="bad">{form.fault.value}</Notice>}
      <div class="row wrap">
        <Button look="primary" type="submit" busy={form.busy.value} data-testid="app-next">
          {action}
        </Button>
        <Button look="ghost" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

function PasswordStep({ model }: { model: AuthenticatorModel }) {
  const { password } = model;
  const fault = password.faults.value.password;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.querySelector('input')?.focus();
  }, [fault]);
  return (
    <StepForm form={password} action="Go on" onCancel={model.close}>
      <div ref={place}>
        <PasswordField
          value={password.typed.password}
          autocomplete="current-password"
          hint="Once more, so that nobody else adds their app to your account."
          fault={fault}
        />
      </div>
    </StepForm>
  );
}

type ScanStepProps = { model: AuthenticatorModel; secret: string; uri: string };

function ScanStep({ model, secret, uri }: ScanStepProps) {
  return (
    <StepForm form={model.code} action="Turn it on" onCancel={model.close}>
      <p class="soft">
        Scan this with an authenticator app, such as the one of your password manager, then enter
        the code that it shows.
      </p>
      <QrCode text={uri} label="QR code for an authenticator app; its secret stands below" />
      <div class="secret">
        <p class="faint">Or type this into the app</p>
        <p>
          <code data-testid="app-secret" data-secret={secret}>
            {inGroups(secret)}
          </code>
        </p>
        <CopyButton text={secret} told="The secret is copied." data-testid="secret-copy">
          Copy the secret
        </CopyButton>
      </div>
      <CodeField form={model.code} withRecovery={false} />
    </StepForm>
  );
}

type Asked = 'codes' | 'removal';

function On({ model, codesLeft }: { model: AuthenticatorModel; codesLeft: number }) {
  const asked = useSignal<Asked | null>(null);
  const { renewal, removal } = model;
  const fault = renewal.fault.value ?? removal.fault.value;
  const leave = () => {
    asked.value = null;
  };
  return (
    <>
      <p class="soft">Logging in asks for a code of your app after the password.</p>
      <p data-testid="codes-left" data-left={codesLeft}>
        <b class="figure">{codesLeft}</b> recovery {codesLeft === 1 ? 'code is' : 'codes are'} left.
        {codesLeft <= codesFew && ' Get new ones before they run out.'}
      </p>
      {fault && <Notice tone="warn">{fault}</Notice>}
      <div class="row wrap">
        <Button
          size="small"
          busy={renewal.busy.value}
          onClick={() => {
            asked.value = 'codes';
          }}
          data-testid="codes-renew"
        >
          New recovery codes
        </Button>
        <Button
          size="small"
          look="danger"
          busy={removal.busy.value}
          onClick={() => {
            asked.value = 'removal';
          }}
          data-testid="app-remove"
        >
          Take it off
        </Button>
      </div>
      <ConfirmDialog
        title="Make new recovery codes?"
        open={asked.value === 'codes'}
        yes="Make new ones"
        no="Keep the old ones"
        onNo={leave}
        onYes={() => {
          leave();
          void renewal.submit();
        }}
      >
        <p>The ones that you have kept stop working at once.</p>
      </ConfirmDialog>
      <ConfirmDialog
        title="Take the authenticator app off?"
        open={asked.value === 'removal'}
        yes="Take it off"
        no="Leave it on"
        onNo={leave}
        onYes={() => {
          leave();
          void removal.submit();
        }}
      >
        <p>
          Your password alone logs you in from then on, and the recovery codes stop working. Payouts
          need a second factor.
        </p>
      </ConfirmDialog>
    </>
  );
}

function Off({ model }: { model: AuthenticatorModel }) {
  return (
    <>
      <p class="soft">
        An app on your phone shows a new code each half minute. Who has learned your password gets
        no further without it.
      </p>
      <div>
        <Button look="primary" onClick={model.begin} data-opens="app" data-testid="app-add">
          Add an authenticator app
        </Button>
      </div>
    </>
  );
}

function Body({ model }: { model: SecurityPageModel }) {
  const { authenticator, factors } = model;
  const step = authenticator.step.value;
  switch (step.name) {
    case 'password':
      return <PasswordStep model={authenticator} />;
    case 'scan':
      return <ScanStep model={authenticator} secret={step.secret} uri={step.uri} />;
    case 'codes':
      return <RecoveryCodes model={authenticator} codes={step.codes} />;
    case 'closed': {
      const known = factors.value.value;
      if (!known && factors.fault.value) {
        return <Fault text={factors.fault.value} onRetry={factors.load} />;
      }
      if (!known) return <Skeleton height="96px" />;
      return known.totp ? (
        <On model={authenticator} codesLeft={known.recoveryCodesLeft} />
      ) : (
        <Off model={authenticator} />
      );
    }
  }
}

export function AuthenticatorCard({ model }: { model: SecurityPageModel }) {
  const isOpen = model.authenticator.step.value.name !== 'closed';
  const card = useReturnFocus<HTMLElement>(isOpen);
  const known = model.factors.value.value;
  const heading = useHeadingFocus(known ? Number(known.totp) : undefined);
  return (
    <section
      ref={card}
      class="card security-card"
      aria-labelledby="app-title"
      data-testid="app-card"
      data-on={known?.totp}
    >
      <div class="row spread wrap">
        <h2 ref={heading} id="app-title" tabIndex={-1}>
          Authenticator app
        </h2>
        {known && <Badge tone={known.totp ? 'good' : 'plain'}>{known.totp ? 'On' : 'Off'}</Badge>}
      </div>
      <Body model={model} />
    </section>
  );
}
