// Closing one's account: what it means, what is left behind, and the button that does it.
import { useEffect, useMemo } from 'preact/hooks';
import type { Closing } from '#contract';
import type { AccountApi } from '../models/account-api.ts';
import {
  type ClosingModel,
  createClosing,
  givingUpWords,
  leavesSomething,
} from '../models/closing.ts';
import { closingWords } from '../models/refusal-words.ts';
import { useApp } from './app-context.ts';
import { Button } from './button.tsx';
import { Tokens } from './coin.tsx';
import { TextField } from './field.tsx';
import { formatDay, formatRupees } from './format.ts';
import { Notice } from './notice.tsx';
import { PasswordField } from './password-field.tsx';
import { Skeleton } from './skeleton.tsx';

function LeftBehind({ closing }: { closing: Closing }) {
  const { tokens, earningsPaise } = closing;
  if (!leavesSomething(closing)) return null;
  return (
    <Notice tone="warn">
      You would leave behind{' '}
      {tokens > 0 && (
        <b>
          <Tokens amount={tokens} />
        </b>
      )}
      {tokens > 0 && earningsPaise > 0 && ' and '}
      {earningsPaise > 0 && <b>{formatRupees(earningsPaise)} of earnings</b>}. Spend or give back
      tokens in your <a href="/wallet">wallet</a>
      {earningsPaise > 0 && (
        <>
          , and have your <a href="/studio/earnings">earnings</a> paid out
        </>
      )}{' '}
      before. Once the account is erased nobody can give them to you.
    </Notice>
  );
}

function ClosingForm({ model, closing }: { model: ClosingModel; closing: Closing }) {
  const faults = model.faults.value;
  if (closing.obstacle) {
    return <Notice tone="warn">{closingWords[closing.obstacle] ?? 'Not possible now.'}</Notice>;
  }
  return (
    <form
      class="auth-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        model.close();
      }}
    >
      {model.fault.value && <Notice tone="bad">{model.fault.value}</Notice>}
      <LeftBehind closing={closing} />
      {leavesSomething(closing) && (
        <TextField
          label={`Type “${givingUpWords}” to leave it behind`}
          name="words"
          autocomplete="off"
          autocapitalize="none"
          value={model.words}
          fault={faults.words}
          data-testid="closing-words"
        />
      )}
      <PasswordField
        label="Your password"
        value={model.password}
        autocomplete="current-password"
        fault={faults.password}
        data-testid="closing-password"
      />
      <Button look="danger" type="submit" busy={model.busy.value} data-testid="close-account">
        Close my account
      </Button>
    </form>
  );
}

export function ClosingCard({ api }: { api: AccountApi }) {
  const { session, router, toasts } = useApp();
  const model = useMemo(
    () =>
      createClosing(api, (eraseAt) => {
        toasts.show(`Your account is closed, and will be erased on ${formatDay(eraseAt)}.`, 'good');
        session.forget();
        router.go('/');
      }),
    [api, session, router, toasts],
  );
  useEffect(() => void model.load(), [model]);
  const closing = model.value.value;
  return (
    <section class="card" aria-labelledby="closing-title">
      <h2 id="closing-title">Close the account</h2>
      <p class="soft">
        All your devices are logged out at once. For {closing?.eraseDays ?? 30} days you can have it
        back as it was: by the link that we mail you, or by logging in. After that what you have
        told us and said here is erased for good. Only the records of payments stay, which the law
        wants us to keep.
      </p>
      {closing ? (
        <ClosingForm model={model} closing={closing} />
      ) : model.loadFault.value ? (
        <Notice tone="bad">{model.loadFault.value}</Notice>
      ) : (
        <Skeleton height="120px" />
      )}
    </section>
  );
}
