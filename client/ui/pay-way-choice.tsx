// The choice of how to pay, made before a package is: the gateway's window, a UPI app here, or a code.
import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { type PayWay, payWays } from '../models/pay-way.ts';
import { CardIcon, CodeIcon, PhoneIcon } from './money-icons.tsx';
import './pay-way-choice.css';

const faces: Record<PayWay, { Icon: typeof CardIcon; label: string; hint: string }> = {
  gateway: {
    Icon: CardIcon,
    label: 'Card, net banking, wallet or UPI',
    hint: 'In Razorpay’s own window',
  },
  'upi-app': { Icon: PhoneIcon, label: 'UPI app', hint: 'On this device, in one tap' },
  'upi-scan': { Icon: CodeIcon, label: 'Scan with a UPI app', hint: 'A code for your phone' },
};

export function PayWayChoice({ way }: { way: Signal<PayWay> }) {
  const name = useId();
  return (
    <fieldset class="pay-ways">
      <legend>How to pay</legend>
      {payWays.map((value) => {
        const { Icon, label, hint } = faces[value];
        return (
          <label key={value} class="pay-way">
            <input
              type="radio"
              class="sr-only"
              name={name}
              value={value}
              checked={way.value === value}
              onChange={() => {
                way.value = value;
              }}
              data-testid={`pay-way-${value}`}
            />
            <span class="pay-way-face">
              <Icon size={22} />
              <span>
                <b>{label}</b>
                <span class="faint">{hint}</span>
              </span>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}
