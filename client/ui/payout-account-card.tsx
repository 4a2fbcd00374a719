// Where a performer is paid: the details as a mask with their state, and the form for new ones.
import type { Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { accountHolderCharsMax, type PayoutAccount } from '#contract';
import type { PayoutDetailsModel, PayoutKind } from '../models/payout-details.ts';
import { useApp } from './app-context.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { Segment, TextField } from './field.tsx';
import { formatDay, formatDayTime } from './format.ts';
import { BankIcon, PhoneIcon } from './money-icons.tsx';
import { Notice } from './notice.tsx';
import { ProofNeeded } from './proof-needed.tsx';
import { useReturnFocus } from './return-focus.ts';
import './payout-account-card.css';

const stateFaces: Record<PayoutAccount['state'], { label: string; tone: string }> = {
  pending: { label: 'Being checked', tone: 'warn' },
  verified: { label: 'Verified', tone: 'good' },
  failed: { label: 'Check failed', tone: 'warn' },
  replaced: { label: 'Replaced', tone: 'plain' },
};

function Standing({ account }: { account: PayoutAccount }) {
  const { clock } = useApp();
  if (account.state === 'pending') {
    return (
      <p class="soft">We send a tiny amount to see that it is yours. It usually takes minutes.</p>
    );
  }
  if (account.state === 'failed') {
    return (
      <p class="payout-failure">
        {account.failure
          ? `The bank says: ${account.failure}. `
          : 'The bank does not know these details. '}
        Enter them again.
      </p>
    );
  }
  if (Date.parse(account.usableFrom) > clock.now()) {
    return (
      <p class="soft">
        Changed details wait, for your safety. Paid to from{' '}
        <b>
          <time dateTime={account.usableFrom}>{formatDayTime(account.usableFrom)}</time>
        </b>
        .
      </p>
    );
  }
  return <p class="soft">Your payouts go here.</p>;
}

function Account({ account }: { account: PayoutAccount }) {
  const { label, tone } = stateFaces[account.state];
  const Icon = account.kind === 'bank' ? BankIcon : PhoneIcon;
  return (
    <div class="payout-account" data-testid="payout-account" data-state={account.state}>
      <span class="payout-account-icon" aria-hidden="true">
        <Icon size={22} />
      </span>
      <div>
        <p class="row wrap">
          <b class="figure">{account.mask}</b> <Badge tone={tone}>{label}</Badge>
        </p>
        <p class="faint">
          {account.kind === 'bank' ? 'Bank account' : 'UPI address'}, since{' '}
          {formatDay(account.createdAt)}
        </p>
        <Standing account={account} />
      </div>
    </div>
  );
}

type HolderProps = { value: Signal<string>; fault: string | undefined; testId: string };

function HolderField({ value, fault, testId }: HolderProps) {
  return (
    <TextField
      label="Name of the account holder"
      value={value}
      autocomplete="name"
      maxLength={accountHolderCharsMax}
      hint="As your bank writes it. It must be you."
      fault={fault}
      data-testid={testId}
    />
  );
}

function BankFields({ details }: { details: PayoutDetailsModel }) {
  const { typed } = details.bank;
  const faults = details.bank.faults.value;
  return (
    <>
      <HolderField value={typed.accountHolder} fault={faults.accountHolder} testId="bank-holder" />
      <TextField
        label="IFSC"
        value={typed.ifsc}
        autocomplete="off"
        autocapitalize="characters"
        spellcheck={false}
        maxLength={11}
        placeholder="HDFC0001234"
        hint="Of your branch, as on a cheque."
        fault={faults.ifsc}
        data-testid="bank-ifsc"
      />
      <TextField
        label="Account number"
        value={typed.accountNumber}
        inputMode="numeric"
        autocomplete="off"
        spellcheck={false}
        maxLength={26}
        fault={faults.accountNumber}
        data-testid="bank-number"
      />
      <TextField
        label="Account number once more"
        value={typed.accountNumberAgain}
        inputMode="numeric"
        autocomplete="off"
        spellcheck={false}
        maxLength={26}
        fault={faults.accountNumberAgain}
        data-testid="bank-number-again"
      />
    </>
  );
}

function UpiFields({ details }: { details: PayoutDetailsModel }) {
  const { typed } = details.upi;
  const faults = details.upi.faults.value;
  return (
    <>
      <HolderField value={typed.accountHolder} fault={faults.accountHolder} testId="upi-holder" />
      <TextField
        label="UPI address"
        value={typed.address}
        inputMode="email"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        maxLength={100}
        placeholder="name@bank"
        hint="One of yours, as your UPI app shows it."
        fault={faults.address}
        data-testid="upi-address"
      />
    </>
  );
}

function AccountForm({ details, isChange }: { details: PayoutDetailsModel; isChange: boolean }) {
  const { kind } = details;
  const form = useRef<HTMLFormElement>(null);
  const active = kind.value === 'bank' ? details.bank : details.upi;
  const faults = active.faults.value;
  useEffect(() => {
    form.current?.scrollIntoView({ block: 'nearest' });
    form.current?.querySelector<HTMLElement>('input')?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    // The first field that needs another look.
    form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [faults]);
  return (
    <form
      ref={form}
      class="stack payout-details"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        details.saveAccount();
      }}
    >
      <Segment<PayoutKind>
        label="Bank account or UPI"
        value={kind.value}
        onPick={(picked) => {
          kind.value = picked;
        }}
        options={[
          { value: 'bank', label: 'Bank account', testId: 'payout-kind-bank' },
          { value: 'upi', label: 'UPI address', testId: 'payout-kind-upi' },
        ]}
      />
      {kind.value === 'bank' ? <BankFields details={details} /> : <UpiFields details={details} />}
      {isChange && (
        <p class="faint">
          New details are checked, and then wait before they are paid to. The ones of now are not
          used any more.
        </p>
      )}
      {active.needsProof.value && (
        <ProofNeeded busy={active.busy.value} onAsk={details.saveAccount}>
          Nothing was saved yet: where you are paid needs a second factor.
        </ProofNeeded>
      )}
      {active.fault.value && !active.needsProof.value && (
        <Notice tone="bad">{active.fault.value}</Notice>
      )}
      <div class="row wrap">
        <Button look="primary" type="submit" busy={active.busy.value} data-testid="account-save">
          Save
        </Button>
        <Button look="ghost" onClick={details.close}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

type CardProps = { details: PayoutDetailsModel; account: PayoutAccount | null };

export function PayoutAccountCard({ details, account }: CardProps) {
  const editing = details.editing.value === 'account';
  const card = useReturnFocus<HTMLElement>(editing);
  return (
    <section ref={card} class="card payout-details-card" aria-labelledby="account-title">
      <h2 id="account-title">Paid to</h2>
      <div aria-live="polite">
        {details.saved.value === 'account' && account?.state === 'pending' && (
          <Notice tone="good">
            <span data-testid="account-saved">Saved. We check it now; you need not wait here.</span>
          </Notice>
        )}
      </div>
      {account ? (
        <Account account={account} />
      ) : (
        !editing && <p class="soft">No bank account and no UPI address yet.</p>
      )}
      {editing ? (
        <AccountForm details={details} isChange={account !== null} />
      ) : (
        <div>
          <Button
            size="small"
            onClick={() => details.open('account')}
            data-opens="account"
            data-testid="account-edit"
          >
            {account ? 'Change' : 'Add payment details'}
          </Button>
        </div>
      )}
    </section>
  );
}
