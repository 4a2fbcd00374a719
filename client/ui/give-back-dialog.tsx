// The dialog of giving tokens back: how many, why, and what comes of it.
import { useEffect } from 'preact/hooks';
import { refundReasonCharsMax } from '#contract';
import type { GiveBack, GivenBack } from '../models/give-back.ts';
import { returnableWords } from '../models/returnable-words.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Segment, TextArea, TextField } from './field.tsx';
import { formatCount, formatRupees, formatTokens } from './format.ts';
import { Notice } from './notice.tsx';
import { refundFaces } from './refund-state.tsx';

type HowMany = 'all' | 'some';

const closeId = 'give-back-close';

function Done({ giveBack }: { giveBack: GiveBack }) {
  const refund = giveBack.done.value;
  if (!refund) return null;
  return (
    <Notice tone="good">
      <p data-testid="give-back-done">
        You have asked to give {formatTokens(refund.tokens)} back.{' '}
        {formatRupees(refund.amountPaise)} comes back the way you paid.{' '}
        {refundFaces[refund.state].meaning}
      </p>
    </Notice>
  );
}

function Form({ giveBack, asked }: { giveBack: GiveBack; asked: GivenBack }) {
  const { all, tokensText, reason } = giveBack;
  const faults = giveBack.faults.value;
  const { returnable } = asked;
  return (
    <form
      id="give-back-form"
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        giveBack.submit();
      }}
    >
      <p>
        What you have not spent of this purchase can be given back for what you paid for it, GST
        included. Spent tokens stay spent.
      </p>
      <p class="figure" aria-live="polite" data-testid="give-back-returnable">
        <b>{returnableWords(returnable)}.</b>
      </p>
      <Segment<HowMany>
        label="How many tokens"
        value={all.value ? 'all' : 'some'}
        onPick={(picked) => {
          all.value = picked === 'all';
        }}
        options={[
          { value: 'all', label: 'All that are unspent', testId: 'give-back-all' },
          { value: 'some', label: 'Only some', testId: 'give-back-some' },
        ]}
      />
      {!all.value && (
        <TextField
          label="Tokens to give back"
          value={tokensText}
          inputMode="numeric"
          autocomplete="off"
          maxLength={12}
          hint={`1 to ${formatCount(returnable.unspentTokens)}. Their part of the sum comes back.`}
          fault={faults.tokens}
          data-testid="give-back-tokens"
        />
      )}
      <TextArea
        label="Why?"
        value={reason}
        maxLength={refundReasonCharsMax}
        placeholder="Such as: bought the wrong package"
        fault={faults.reason}
        data-testid="give-back-reason"
      />
      {giveBack.fault.value && <Notice tone="bad">{giveBack.fault.value}</Notice>}
    </form>
  );
}

export function GiveBackDialog({ giveBack }: { giveBack: GiveBack }) {
  const asked = giveBack.asked.value;
  const done = giveBack.done.value;
  useEffect(() => {
    // The button that sent it is gone.
    if (done) document.getElementById(closeId)?.focus();
  }, [done]);
  return (
    <Dialog
      title={asked?.title ? `Give back: ${asked.title}` : 'Give tokens back'}
      open={asked !== null}
      onClose={giveBack.close}
      actions={
        done ? (
          <Button
            look="primary"
            id={closeId}
            onClick={giveBack.close}
            data-testid="give-back-close"
          >
            Good
          </Button>
        ) : (
          <>
            <Button look="ghost" onClick={giveBack.close}>
              Keep them
            </Button>
            <Button
              look="primary"
              type="submit"
              form="give-back-form"
              busy={giveBack.busy.value}
              data-testid="give-back-send"
            >
              Ask for the money back
            </Button>
          </>
        )
      }
    >
      {asked && (done ? <Done giveBack={giveBack} /> : <Form giveBack={giveBack} asked={asked} />)}
    </Dialog>
  );
}
