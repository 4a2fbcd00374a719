// The newest tips: a bar for each in the order they came, and the same as a list.
import type { z } from 'zod';
import type { EarnedTip } from '#contract';
import { Tokens } from './coin.tsx';
import { formatCount, formatDayTime, formatRupees } from './format.ts';
import './tip-chart.css';

type Tip = z.infer<typeof EarnedTip>;

/** More bars would be too thin to tell apart, fewer too broad. */
const barsMax = 40;
const barsMin = 20;
const listMax = 8;
const barPitch = 10;
const barWidth = 7;
const chartHeight = 100;
const barHeightMin = 3;

/** Tips differ a thousandfold: bars grow with the root, so that small ones are seen beside large ones. */
function heightOf(tokens: number, most: number): number {
  return Math.max(barHeightMin, Math.sqrt(tokens / most) * chartHeight);
}

function Bars({ tips }: { tips: readonly Tip[] }) {
  const shown = tips.slice(0, barsMax).reverse();
  const most = Math.max(...shown.map(({ amountTokens }) => amountTokens));
  const places = Math.max(barsMin, shown.length);
  const [first, last] = [shown[0], shown.at(-1)];
  return (
    <figure class="tip-chart">
      <svg
        viewBox={`0 0 ${places * barPitch} ${chartHeight}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Your newest ${shown.length} tips, the largest of ${formatCount(most)} tokens`}
      >
        {shown.map(({ tipId, amountTokens, username }, index) => {
          const height = heightOf(amountTokens, most);
          return (
            <rect
              key={tipId}
              x={(places - shown.length + index) * barPitch}
              y={chartHeight - height}
              width={barWidth}
              height={height}
              rx="2"
            >
              <title>{`${username ?? 'Somebody'}: ${formatCount(amountTokens)} tokens`}</title>
            </rect>
          );
        })}
      </svg>
      {first && last && shown.length > 1 && (
        <figcaption class="faint row spread">
          <span>{formatDayTime(first.at)}</span>
          <span>{formatDayTime(last.at)}</span>
        </figcaption>
      )}
    </figure>
  );
}

export function TipChart({ tips }: { tips: readonly Tip[] }) {
  return (
    <section class="card tips-card" aria-labelledby="tips-title">
      <h2 id="tips-title">Newest tips</h2>
      {tips.length === 0 ? (
        <p class="soft">Your tips will stand here as soon as the first one comes.</p>
      ) : (
        <>
          <Bars tips={tips} />
          <ul class="earned-tips">
            {tips.slice(0, listMax).map((tip) => (
              <li key={tip.tipId} data-testid="earned-tip">
                <Tokens amount={tip.amountTokens} />
                <span class="earned-words">
                  <b>{tip.username ?? 'Somebody'}</b>
                  {tip.message && <bdi class="soft">{tip.message}</bdi>}
                  <time class="faint" dateTime={tip.at}>
                    {formatDayTime(tip.at)}
                  </time>
                </span>
                <span class="figure earned-paise">{formatRupees(tip.earnedPaise)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
