// The health strip: how well the picture leaves this machine, in figures and in one word.
import type { PathState } from '../media/ice-guard.ts';
import type { Health } from '../media/publisher.ts';
import type { LinkState } from '../models/room-link.ts';
import { Badge } from './badge.tsx';
import { formatBitrate } from './format.ts';
import './health-strip.css';

/** From these on the word is no longer "good". */
const lossPoor = 0.05;
const framesPoor = 15;
const roundTripPoorMs = 400;

type HealthStripProps = { health: Health | null; path: PathState; link: LinkState };

function verdict({ health, path, link }: HealthStripProps): { tone: string; word: string } {
  if (link === 'reconnecting' || path === 'mending' || path === 'lost') {
    return { tone: 'warn', word: 'Reconnecting' };
  }
  if (!health) return { tone: 'plain', word: 'Connecting' };
  const poor =
    health.isReduced ||
    health.loss > lossPoor ||
    health.framesPerSecond < framesPoor ||
    (health.roundTripMs ?? 0) > roundTripPoorMs;
  return poor ? { tone: 'warn', word: 'Weak' } : { tone: 'good', word: 'Good' };
}

export function HealthStrip(props: HealthStripProps) {
  const { health } = props;
  const { tone, word } = verdict(props);
  const figures = [
    { name: 'Bit rate', value: health ? formatBitrate(health.bitrateBps) : '–' },
    { name: 'Frames', value: health ? `${health.framesPerSecond} fps` : '–' },
    { name: 'Picture', value: health ? `${health.heightPixels}p ${health.codec}` : '–' },
    {
      name: 'Round trip',
      value: health?.roundTripMs == null ? '–' : `${health.roundTripMs} ms`,
    },
    { name: 'Loss', value: health ? `${(health.loss * 100).toFixed(1)} %` : '–' },
  ];
  return (
    <section class="health" aria-label="Health of the stream" data-testid="health">
      <span role="status" data-testid="health-word">
        <Badge tone={tone}>{word}</Badge>
      </span>
      <dl>
        {figures.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="figure">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
