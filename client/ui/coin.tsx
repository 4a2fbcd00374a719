// A token: the coin, and an amount of coins.
import { formatCount } from './format.ts';
import './coin.css';

export function Coin({ size = 18 }: { size?: number }) {
  return (
    <svg class="coin" aria-hidden="true" width={size} height={size} viewBox="0 0 20 20">
      <circle cx="10" cy="10" r="9.5" fill="#e79a12" />
      <circle cx="10" cy="9.4" r="8.8" fill="#ffc649" />
      <circle cx="10" cy="9.4" r="6.6" fill="none" stroke="#d98a06" stroke-width="1.1" />
      <path d="M8.3 6.4v6l4.9-3z" fill="#a96200" />
    </svg>
  );
}

/** "50 tokens" drawn as a coin and a number. */
export function Tokens({ amount, size }: { amount: number; size?: number }) {
  return (
    <span class="tokens figure">
      <Coin {...(size ? { size } : {})} />
      {formatCount(amount)}
      <span class="sr-only"> tokens</span>
    </span>
  );
}
