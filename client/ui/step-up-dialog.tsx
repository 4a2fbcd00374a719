// The dialog of a step-up: a second factor, shown once more before something that needs one.
import { createPasskeys } from '../models/passkeys.ts';
import { createProof, type ProofModel } from '../models/proof.ts';
import { createSecurityApi } from '../models/security-api.ts';
import { useApp, useLife } from './app-context.ts';
import { Button, ButtonLink } from './button.tsx';
import { CodeField } from './code-field.tsx';
import { Dialog } from './dialog.tsx';
import { Fault, Notice } from './notice.tsx';
import { KeyIcon } from './security-icons.tsx';
import { Loading, Skeleton } from './skeleton.tsx';

const formId = 'step-up-form';

function WithCode({ model }: { model: ProofModel }) {
  const { code } = model;
  return (
    <form
      id={formId}
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void code.submit();
      }}
    >
      <CodeField form={code} />
      {code.fault.value && <Notice tone="bad">{code.fault.value}</Notice>}
      <Button
        look="primary"
        wide
        type="submit"
        busy={code.busy.value}
        data-testid="step-up-confirm"
      >
        Confirm
      </Button>
    </form>
  );
}

function WithPasskey({ model, isOnly }: { model: ProofModel; isOnly: boolean }) {
  const { passkey, canSign } = model;
  if (!canSign) {
    return isOnly ? (
      <Notice tone="warn">
        Your account has a passkey and no authenticator app, and this browser takes no passkey here.
        Use the browser or the device where you made it.
      </Notice>
    ) : null;
  }
  return (
    <>
      <Button
        look={isOnly ? 'primary' : 'quiet'}
        wide
        busy={passkey.busy.value}
        onClick={() => void passkey.submit()}
        data-testid="step-up-passkey"
      >
        <KeyIcon /> Use a passkey
      </Button>
      {passkey.fault.value && <Notice tone="bad">{passkey.fault.value}</Notice>}
    </>
  );
}

function WithNothing() {
  return (
    <div class="stack" data-testid="step-up-none">
      <p>
        Payouts, and everything that staff do, need a second factor beside the password. Your
        account has none yet: add an authenticator app or a passkey, then come back.
      </p>
      <ButtonLink look="primary" wide href="/settings/security" data-testid="step-up-settings">
        Set one up
      </ButtonLink>
    </div>
  );
}

function Ask() {
  const app = useApp();
  const model = useLife(
    () =>
      createProof({
        security: createSecurityApi(app.api.request),
        passkeys: createPasskeys(window),
        accept: app.session.accept,
        onShown: app.stepUp.shown,
      }),
    'proof',
  );
  const factors = model.factors.value.value;
  if (!factors && model.factors.fault.value) {
    return <Fault text={model.factors.fault.value} onRetry={model.factors.load} />;
  }
  if (!factors) {
    return (
      <>
        <Loading what="your second factors" />
        <Skeleton height="120px" />
      </>
    );
  }
  if (!factors.totp && factors.passkeys === 0) return <WithNothing />;
  return (
    <>
      <p>This needs a second factor that was shown lately.</p>
      {factors.totp && <WithCode model={model} />}
      {factors.passkeys > 0 && <WithPasskey model={model} isOnly={!factors.totp} />}
    </>
  );
}

export function StepUpDialog() {
  const { stepUp } = useApp();
  const isAsking = stepUp.isAsking.value;
  return (
    <Dialog
      title="Confirm that it is you"
      open={isAsking}
      onClose={stepUp.declined}
      actions={
        <Button look="ghost" onClick={stepUp.declined} data-testid="step-up-decline">
          Not now
        </Button>
      }
    >
      {isAsking && <Ask />}
    </Dialog>
  );
}
