// The dialog of a UPI payment: apps to open on this device, or a code to scan with another one.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { UpiIntent } from '#contract';
import type { Purchase } from '../models/checkout.ts';
import type { UpiPayment } from '../models/upi-payment.ts';
import type { WalletPageModel } from '../models/wallet-page.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy-button.tsx';
import { Dialog } from './dialog.tsx';
import { Segment } from './field.tsx';
import { formatDuration, formatRupees, formatTokens } from './format.ts';
import { RefreshIcon } from './icons.tsx';
import { ClockIcon, CodeIcon, PhoneIcon } from './money-icons.tsx';
import { Notice } from './notice.tsx';
import { OrderTold } from './order-told.tsx';
import { QrCode } from './qr-code.tsx';
import { Skeleton } from './skeleton.tsx';
import './upi-dialog.css';

type Face = 'app' | 'scan';

function Apps({ intent }: { intent: UpiIntent }) {
  return (
    <div class="upi-apps">
      <a class="button primary large wide" href={intent.link} data-testid="upi-open">
        <PhoneIcon /> Open a UPI app
      </a>
      {intent.apps.length > 0 && (
        <>
          <p class="faint" id="upi-apps-title">
            Or one of these
          </p>
          <ul aria-labelledby="upi-apps-title">
            {intent.apps.map(({ name, link }) => (
              <li key={name}>
                <a class="button quiet wide" href={link}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function TimeLeft({ upi }: { upi: UpiPayment }) {
  const leftMs = upi.leftMs.value;
  if (leftMs === null) return null;
  return (
    <p class="upi-time figure">
      <ClockIcon size={17} />
      <span>
        Valid for{' '}
        <b role="timer" aria-label="Time left to pay">
          {formatDuration(leftMs)}
        </b>
      </span>
    </p>
  );
}

type WaitingProps = { purchase: Purchase; upi: UpiPayment; intent: UpiIntent; face: Face };

function Waiting({ purchase, upi, intent, face }: WaitingProps) {
  const { what } = purchase;
  return (
    <>
      {face === 'app' ? (
        <Apps intent={intent} />
      ) : (
        <>
          <QrCode
            text={intent.link}
            label={`QR code to pay ${formatRupees(what.pricePaise)} for ${formatTokens(what.tokens)} with a UPI app`}
          />
          <p class="upi-how">Scan it with any UPI app: PhonePe, Google Pay, Paytm, BHIM…</p>
        </>
      )}
      <div class="row spread wrap">
        <TimeLeft upi={upi} />
        <CopyButton text={intent.link} told="The payment link is copied." data-testid="upi-copy">
          Copy link
        </CopyButton>
      </div>
    </>
  );
}

function UpiBody({ purchase, upi, face }: { purchase: Purchase; upi: UpiPayment; face: Face }) {
  const step = upi.step.value;
  switch (step.name) {
    case 'asking':
      return (
        <div class="stack" role="status">
          <span class="sr-only">Asking for a payment link</span>
          <Skeleton height={face === 'app' ? '160px' : '264px'} />
        </div>
      );
    case 'waiting':
      return <Waiting purchase={purchase} upi={upi} intent={step.intent} face={face} />;
    case 'expired':
      return (
        <Notice tone="warn">
          <div class="stack">
            <p data-testid="upi-expired">
              The time to pay is over. If you have paid, do not pay again: your tokens come by
              themselves as soon as the bank confirms it, and we keep looking.
            </p>
            <div class="row wrap">
              <Button size="small" look="primary" onClick={upi.retry} data-testid="upi-retry">
                Pay with a new {face === 'app' ? 'link' : 'code'}
              </Button>
            </div>
          </div>
        </Notice>
      );
    case 'failed':
      return (
        <Notice tone="bad">
          <div class="stack">
            <p data-testid="upi-failed">{step.text}</p>
            <div class="row wrap">
              <Button size="small" onClick={upi.retry} data-testid="upi-retry">
                <RefreshIcon size={16} /> Try again
              </Button>
            </div>
          </div>
        </Notice>
      );
  }
}

/** What is known of the payment, read out when it changes. */
function Standing({ purchase, upi }: { purchase: Purchase; upi: UpiPayment }) {
  return (
    <div class="upi-standing" role="status" data-testid="upi-standing">
      {upi.step.value.name === 'waiting' && (
        <p>
          <span class="spinner" aria-hidden="true" /> Waiting for your payment…
        </p>
      )}
      <OrderTold watch={purchase.watch} />
    </div>
  );
}

const faceOptions: readonly { value: Face; label: ComponentChildren; testId: string }[] = [
  {
    value: 'app',
    label: (
      <>
        <PhoneIcon size={17} /> On this device
      </>
    ),
    testId: 'upi-face-app',
  },
  {
    value: 'scan',
    label: (
      <>
        <CodeIcon size={17} /> Scan a code
      </>
    ),
    testId: 'upi-face-scan',
  },
];

export function UpiDialog({ model }: { model: WalletPageModel }) {
  const { checkout, payWay } = model;
  const purchase = checkout.purchase.value;
  const open = checkout.step.value.name === 'upi';
  const [face, setFace] = useState<Face>('scan');
  const way = payWay.value;
  useEffect(() => {
    if (open) setFace(way === 'upi-app' ? 'app' : 'scan');
  }, [open, way]);
  const upi = purchase?.upi;
  const watch = purchase?.watch;
  const mayBePaid = upi?.step.value.name === 'waiting' || upi?.step.value.name === 'expired';
  return (
    <Dialog
      title="Pay by UPI"
      open={open}
      onClose={checkout.leave}
      actions={
        <>
          <Button look="ghost" onClick={checkout.cancel} data-testid="upi-cancel">
            Cancel
          </Button>
          {watch && mayBePaid && (
            <Button busy={watch.checking.value} onClick={watch.check} data-testid="upi-check">
              <RefreshIcon size={18} /> Check again
            </Button>
          )}
        </>
      }
    >
      {open && purchase && upi && (
        <div class="upi" data-testid="upi-dialog" data-step={upi.step.value.name}>
          <p class="upi-sum">
            <b class="figure">{formatRupees(purchase.what.pricePaise)}</b>
            <span>for {formatTokens(purchase.what.tokens)}</span>
          </p>
          <Segment<Face>
            label="How to pay by UPI"
            value={face}
            options={faceOptions}
            onPick={setFace}
          />
          <UpiBody purchase={purchase} upi={upi} face={face} />
          <Standing purchase={purchase} upi={upi} />
          <p class="faint">
            You may close this at any time: once you have paid, the tokens come by themselves.
          </p>
        </div>
      )}
    </Dialog>
  );
}
