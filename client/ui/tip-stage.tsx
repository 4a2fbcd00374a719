// The tip stage: the newest tip, celebrated over the picture by its size; the chat reads it out.
import type { TipShow } from '../models/tip-show.ts';
import { tierOf } from '../models/tip-show.ts';
import { Coin } from './coin.tsx';
import { formatCount } from './format.ts';
import './tip-stage.css';

/** Coins that fly, by tier; with reduced motion they stand still for a blink and are gone. */
const coinsOf = { spark: 0, glow: 6, burst: 16, crown: 34 } as const;
/** The golden angle spreads any number of coins evenly. */
const turnDegrees = 137.5;

function Coins({ count }: { count: number }) {
  const places = Array.from({ length: count }, (_, place) => place);
  return (
    <span class="tip-coins" aria-hidden="true">
      {places.map((place) => (
        <span
          key={place}
          style={{
            '--turn': `${place * turnDegrees}deg`,
            '--reach': `${28 + ((place * 37) % 60)}cqmin`,
            '--wait': `${(place % 7) * 45}ms`,
          }}
        >
          <Coin size={16 + (place % 3) * 6} />
        </span>
      ))}
    </span>
  );
}

export function TipStage({ show }: { show: TipShow }) {
  const tip = show.current.value;
  const name = tip?.username ?? 'Somebody';
  return (
    <div class="tip-stage">
      {tip && (
        <div
          key={tip.id}
          class={`tip-shown ${tierOf(tip.amountTokens).name}`}
          aria-hidden="true"
          data-testid="tip-shown"
        >
          <Coins count={coinsOf[tierOf(tip.amountTokens).name]} />
          <div class="tip-card">
            <span class="tip-amount figure">
              <Coin size={26} /> {formatCount(tip.amountTokens)}
            </span>
            <b>{name}</b>
            {tip.message && <bdi class="tip-words">{tip.message}</bdi>}
          </div>
        </div>
      )}
    </div>
  );
}
