// The tip panel: quick amounts, one's own amount, a message, what it does, and the button that sends it.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import {
  amountTokensMax,
  amountTokensMin,
  quickAmountsTokens,
  type TipBar,
  tipMessageCharsMax,
} from '../models/tip-bar.ts';
import { Button, ButtonLink, IconButton } from './button.tsx';
import { Coin, Tokens } from './coin.tsx';
import { Dialog } from './dialog.tsx';
import { formatCount, formatRupees, formatTokens } from './format.ts';
import { CloseIcon } from './icons.tsx';
import { Skeleton } from './skeleton.tsx';
import { TipRefusal } from './tip-refusal.tsx';
import './tip-panel.css';

function QuickAmounts({ bar, onOpen }: { bar: TipBar; onOpen: () => void }) {
  return (
    <fieldset class="tip-quick">
      <legend class="sr-only">Amount</legend>
      {quickAmountsTokens.map((amount) => (
        <button
          key={amount}
          type="button"
          class="tip-chip figure"
          aria-pressed={bar.amountTokens.value === amount}
          aria-label={`Tip ${formatTokens(amount)}`}
          onClick={() => {
            bar.choose(amount);
            onOpen();
          }}
          data-testid={`tip-amount-${amount}`}
        >
          <Coin /> {amount}
        </button>
      ))}
      <button type="button" class="tip-chip tip-more" onClick={onOpen} data-testid="tip-more">
        More
      </button>
    </fieldset>
  );
}

function FeeLine({ bar, performer }: { bar: TipBar; performer: string }) {
  const policy = bar.feePolicy.value;
  if (bar.feeFault.value) {
    return (
      <p class="faint" data-testid="tip-fee">
        What {performer} receives cannot be shown right now.{' '}
        <button type="button" class="text-button" onClick={() => bar.loadFees()}>
          Try again
        </button>
      </p>
    );
  }
  if (!policy) return <Skeleton width="14em" height="1.2em" />;
  const ofTip = shareOf(bar);
  const share =
    ofTip === null
      ? `${formatRupees(policy.payoutPaisePerToken)} of every token`
      : `${ofTip} of this tip`;
  return (
    <p class="faint" data-testid="tip-fee">
      {performer} receives {share}; the rest runs the platform.
    </p>
  );
}

/** What the performer receives of the amount that is chosen; null while the fees are unknown. */
function shareOf(bar: TipBar): string | null {
  const paise = bar.feePolicy.value?.payoutPaisePerToken;
  const amount = bar.amountTokens.value;
  return paise === undefined || amount === null ? null : formatRupees(paise * amount);
}

function Balance({ bar }: { bar: TipBar }) {
  const balance = bar.balanceTokens.value;
  return (
    <span class="tip-balance">
      <span class="faint">You have</span>{' '}
      <span data-testid="tip-balance" data-balance={balance ?? ''}>
        {balance === null ? <Skeleton width="3em" /> : <Tokens amount={balance} />}
      </span>
      <a href="/wallet" class="tip-buy">
        Get more
      </a>
    </span>
  );
}

function Confirmation({ bar, performer }: { bar: TipBar; performer: string }) {
  const amount = bar.amountTokens.value ?? 0;
  const share = shareOf(bar);
  return (
    <Dialog
      title={`Tip ${formatTokens(amount)}?`}
      open={bar.confirming.value}
      onClose={bar.cancel}
      actions={
        <>
          <Button onClick={bar.cancel} data-testid="tip-cancel">
            Not now
          </Button>
          <Button look="gold" onClick={bar.submit} data-testid="tip-confirm">
            <Coin /> Tip {formatCount(amount)}
          </Button>
        </>
      }
    >
      <p>
        That is a big one. It goes to {performer} at once and cannot be taken back.
        {share && ` ${performer} receives ${share} of it.`}
        {bar.anonymous.value ? ' Your name will not be shown.' : ''}
      </p>
    </Dialog>
  );
}

function AmountField({ bar }: { bar: TipBar }) {
  return (
    <label class="tip-custom">
      <Coin size={20} />
      <span class="sr-only">
        Amount in tokens, {amountTokensMin} to {amountTokensMax}
      </span>
      <input
        class="figure"
        inputMode="numeric"
        autocomplete="off"
        placeholder="Amount"
        maxLength={5}
        value={bar.amountText.value}
        onInput={(event) => {
          bar.amountText.value = event.currentTarget.value;
        }}
        data-testid="tip-custom"
      />
    </label>
  );
}

function MessageField({ bar }: { bar: TipBar }) {
  return (
    <input
      class="input tip-message"
      aria-label="Message with the tip"
      placeholder="Add a message"
      autocomplete="off"
      maxLength={tipMessageCharsMax}
      value={bar.message.value}
      onInput={(event) => {
        bar.message.value = event.currentTarget.value;
      }}
      data-testid="tip-message"
    />
  );
}

function Foot({ bar, performer }: { bar: TipBar; performer: string }) {
  return (
    <>
      <div class="tip-foot">
        <label class="check">
          <input
            type="checkbox"
            checked={bar.anonymous.value}
            onChange={(event) => bar.pickAnonymous(event.currentTarget.checked)}
            data-testid="tip-anonymous"
          />
          Without my name
        </label>
        <FeeLine bar={bar} performer={performer} />
        <Balance bar={bar} />
      </div>
      <p class="tip-obstacle" role="status">
        {bar.amountText.value !== '' && bar.obstacle.value}
      </p>
    </>
  );
}

function Invitation({ performer, next }: { performer: string; next: string }) {
  return (
    <section class="tip-panel guest" aria-label="Tip">
      <p>
        <Coin size={22} /> Like what you see? Tip {performer}.
      </p>
      <ButtonLink look="gold" href={`/login?next=${encodeURIComponent(next)}`}>
        Log in to tip
      </ButtonLink>
    </section>
  );
}

type TipPanelProps = { bar: TipBar; performer: string; next: string; canTip: boolean };

export function TipPanel({ bar, performer, next, canTip }: TipPanelProps) {
  const open = useSignal(false);
  useEffect(() => {
    if (canTip) bar.loadFees();
  }, [bar, canTip]);
  if (!canTip) return <Invitation performer={performer} next={next} />;
  const amount = bar.amountTokens.value;
  return (
    <section
      class={open.value ? 'tip-panel open' : 'tip-panel'}
      aria-label="Tip"
      data-testid="tip-bar"
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          bar.submit();
          if (bar.amountText.peek() === '') open.value = false;
        }}
      >
        <div class="tip-first">
          <QuickAmounts
            bar={bar}
            onOpen={() => {
              open.value = true;
            }}
          />
          <span class="tip-close">
            <IconButton
              label="Close"
              onClick={() => {
                open.value = false;
              }}
            >
              <CloseIcon size={18} />
            </IconButton>
          </span>
        </div>
        <div class="tip-rest">
          <AmountField bar={bar} />
          <MessageField bar={bar} />
          <Button
            look="gold"
            type="submit"
            disabled={bar.obstacle.value !== null}
            data-testid="tip-send"
          >
            {amount === null ? 'Tip' : `Tip ${formatCount(amount)}`}
          </Button>
        </div>
        <Foot bar={bar} performer={performer} />
        <TipRefusal bar={bar} />
      </form>
      <Confirmation bar={bar} performer={performer} />
    </section>
  );
}
