// The checkout's notice: how the purchase stands that was begun on this page.
import { useEffect, useRef } from 'preact/hooks';
import type { CheckoutStep, Purchase } from '../models/checkout.ts';
import type { WalletPageModel } from '../models/wallet-page.ts';
import { Button } from './button.tsx';
import { formatTokens } from './format.ts';
import { RefreshIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { OrderTold } from './order-told.tsx';

type PendingProps = { model: WalletPageModel; purchase: Purchase | null; tokens: number };

function Pending({ model, purchase, tokens }: PendingProps) {
  const { checkout } = model;
  const watch = purchase?.watch;
  return (
    <Notice tone="warn">
      <div class="stack" data-testid="purchase-pending">
        <p>
          {purchase?.upi
            ? 'If you have paid, your payment is on its way. '
            : 'Your payment is on its way. '}
          The {formatTokens(tokens)} appear here as soon as the bank confirms it. You need not wait:
          they come even when this page is closed.
        </p>
        {watch && <OrderTold watch={watch} />}
        <div class="row wrap">
          {watch && (
            <Button size="small" busy={watch.checking.value} onClick={() => watch.check()}>
              <RefreshIcon size={16} /> Check again
            </Button>
          )}
          {purchase?.upi && (
            <Button size="small" onClick={checkout.resume}>
              Show the payment again
            </Button>
          )}
          <Button size="small" look="ghost" onClick={checkout.cancel}>
            Hide this
          </Button>
        </div>
      </div>
    </Notice>
  );
}

function NoticeOf({ model }: { model: WalletPageModel }) {
  const { checkout } = model;
  const step = checkout.step.value;
  switch (step.name) {
    case 'credited':
      return (
        <Notice tone="good">
          <span data-testid="purchase-done">
            {step.earlier && 'You had paid already. '}
            {formatTokens(step.tokens)} are yours. You have {formatTokens(step.balanceTokens)} now.
          </span>
        </Notice>
      );
    case 'verifying':
      return <Notice>Confirming your payment. This takes a moment.</Notice>;
    case 'pending':
      return <Pending model={model} purchase={checkout.purchase.value} tokens={step.tokens} />;
    case 'failed':
      return (
        <Notice tone="bad">
          <span data-testid="purchase-failed">{step.text} No tokens were bought.</span>
        </Notice>
      );
    default:
      return null;
  }
}

const outcomes: readonly CheckoutStep['name'][] = ['credited', 'pending', 'failed'];

export function CheckoutNotice({ model }: { model: WalletPageModel }) {
  const place = useRef<HTMLDivElement>(null);
  const { name } = model.checkout.step.value;
  useEffect(() => {
    // Who has bought far down the page must not miss what came of it.
    if (outcomes.includes(name)) place.current?.scrollIntoView({ block: 'nearest' });
  }, [name]);
  return (
    <div ref={place} class="checkout-notice" aria-live="polite">
      <NoticeOf model={model} />
    </div>
  );
}
