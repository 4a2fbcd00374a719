// The tip feed of the studio: who gave what, the newest first.
import type { Feed } from '../models/feed.ts';
import { tierOf } from '../models/tip-show.ts';
import { Tokens } from './coin.tsx';
import { formatTime } from './format.ts';
import './chat-panel.css';
import './tip-feed.css';

export function TipFeed({ feed }: { feed: Feed }) {
  const tips = feed.lines.value.filter((event) => event.type === 'tip.received').reverse();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keys.
    <ol class="tip-feed" aria-label="Tips" aria-live="polite" tabIndex={0} data-testid="tip-feed">
      {tips.length === 0 && <li class="chat-empty">Tips appear here the moment they are given.</li>}
      {tips.map(({ id, at, data }) => (
        <li key={id} class={`tip-row ${tierOf(data.amountTokens).name}`} data-testid="tip-row">
          <Tokens amount={data.amountTokens} size={22} />
          <span class="tip-row-words">
            <b>{data.username ?? 'Somebody'}</b>
            {data.message && <bdi>{data.message}</bdi>}
          </span>
          <time class="faint figure" dateTime={at}>
            {formatTime(at)}
          </time>
        </li>
      ))}
    </ol>
  );
}
