// The hero: what LivePanty is, for somebody who has just arrived.
import { ButtonLink } from './button.tsx';
import { Coin } from './coin.tsx';
import { BoltIcon, ShieldIcon } from './icons.tsx';
import './hero.css';

export function Hero() {
  return (
    <section class="hero" aria-labelledby="hero-title">
      <div class="hero-text">
        <h1 id="hero-title">
          Live, within a <em>blink</em>.
        </h1>
        <p>
          Watch people do what they are good at while it happens, talk with them, and tip them when
          it moves you. They see it before the song is over.
        </p>
        <div class="row wrap">
          <ButtonLink look="primary" size="large" href="/register" data-testid="hero-join">
            Join LivePanty
          </ButtonLink>
          <ButtonLink size="large" href="/studio">
            Go live yourself
          </ButtonLink>
        </div>
        <ul class="hero-facts">
          <li>
            <BoltIcon size={18} /> No delay to speak of
          </li>
          <li>
            <Coin size={18} /> Tips that always arrive
          </li>
          <li>
            <ShieldIcon size={18} /> For adults, 18 and over
          </li>
        </ul>
      </div>
      <div class="hero-art" aria-hidden="true">
        <div class="hero-screen">
          <svg aria-hidden="true" viewBox="0 0 320 200" preserveAspectRatio="xMidYMid slice">
            <defs>
              <linearGradient id="hero-sky" x1="0" y1="0" x2="1" y2="1">
                <stop offset="0" stop-color="#3a0f3f" />
                <stop offset="0.5" stop-color="#b51f55" />
                <stop offset="1" stop-color="#ff9a3d" />
              </linearGradient>
              <linearGradient id="hero-beam" x1="0" y1="0" x2="0" y2="1">
                <stop offset="0" stop-color="#fff" stop-opacity="0.5" />
                <stop offset="1" stop-color="#fff" stop-opacity="0" />
              </linearGradient>
            </defs>
            <rect width="320" height="200" fill="url(#hero-sky)" />
            <path d="M70 0h26l70 200H-10z" fill="url(#hero-beam)" opacity="0.55" />
            <path d="M226 0h24l80 200H150z" fill="url(#hero-beam)" opacity="0.45" />
            <g stroke="#fff" stroke-linecap="round" stroke-width="7" opacity="0.9">
              <path d="M40 166v-14M58 166v-34M76 166v-22M94 166v-52M112 166v-30M130 166v-64M148 166v-40" />
              <path d="M166 166v-76M184 166v-46M202 166v-62M220 166v-28M238 166v-50M256 166v-24M274 166v-34" />
            </g>
          </svg>
          <span class="badge live hero-live">
            <i /> Live
          </span>
        </div>
        <span class="hero-tip one">
          <Coin size={22} /> 50
        </span>
        <span class="hero-tip two">
          <Coin size={22} /> 500
        </span>
        <span class="hero-say">Encore!</span>
      </div>
    </section>
  );
}
