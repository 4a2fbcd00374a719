// The chat panel: what is said and tipped in a room, and the line to say something oneself.
import type { VNode } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Chat } from '../models/chat.ts';
import { messageCharsMax } from '../models/chat.ts';
import type { ChatOrder, ChatLine as SaidLine } from '../models/chat-order.ts';
import type { Feed, PendingLine, SpokenEvent } from '../models/feed.ts';
import { tierOf } from '../models/tip-show.ts';
import { nameStyle } from './avatar.tsx';
import { Badge } from './badge.tsx';
import { Button, ButtonLink, IconButton } from './button.tsx';
import { ChatLineMenu } from './chat-line-menu.tsx';
import { Tokens } from './coin.tsx';
import { formatCount, formatTime } from './format.ts';
import { SendIcon } from './icons.tsx';
import './chat-panel.css';

/** Closer to the end than this, the list follows new lines. */
const followPixels = 60;

type LineProps = {
  event: SpokenEvent;
  hostId: string | null;
  onPick: (line: SaidLine) => void;
};

function ChatLine({ event, hostId, onPick }: LineProps) {
  if (event.type === 'tip.received') return <TipLine event={event} />;
  if (event.type === 'raid.came') return <RaidLine event={event} />;
  const { username, role, body, userId } = event.data;
  const word = userId === hostId ? 'Host' : role === 'admin' ? 'Staff' : null;
  return (
    <li class="chat-line" data-testid="chat-line" title={formatTime(event.at)}>
      <button
        type="button"
        class="chat-name"
        style={nameStyle(username)}
        aria-haspopup="dialog"
        title={`What to do about ${username}`}
        onClick={() => onPick(event)}
        data-testid="chat-name"
      >
        {username}
      </button>
      {word && <Badge tone="good">{word}</Badge>} <bdi>{body}</bdi>
    </li>
  );
}

function TipLine({ event }: { event: Extract<SpokenEvent, { type: 'tip.received' }> }) {
  const { username, amountTokens, message } = event.data;
  return (
    <li
      class={`chat-line chat-tip ${tierOf(amountTokens).name}`}
      data-testid="chat-tip"
      title={formatTime(event.at)}
    >
      <span class="chat-tip-head">
        <b>{username ?? 'Somebody'}</b> tipped <Tokens amount={amountTokens} />
      </span>
      {message && <bdi>{message}</bdi>}
    </li>
  );
}

function RaidLine({ event }: { event: Extract<SpokenEvent, { type: 'raid.came' }> }) {
  const { performer, viewers } = event.data;
  const crowd = viewers === 1 ? '1 viewer' : `${formatCount(viewers)} viewers`;
  return (
    <li class="chat-line chat-raid" data-testid="chat-raid" title={formatTime(event.at)}>
      <b>{performer.username}</b> raids with {crowd}
    </li>
  );
}

type PendingProps = {
  line: PendingLine;
  onRetry: (key: string) => void;
  onGiveUp: (key: string) => void;
};

function Pending({ line, onRetry, onGiveUp }: PendingProps) {
  const what = line.kind === 'tip' ? <Tokens amount={line.amountTokens} /> : <bdi>{line.body}</bdi>;
  return (
    <li class={`chat-line pending ${line.state}`} data-testid="chat-pending">
      <span>{what}</span>
      {line.state === 'sending' ? (
        <span class="faint">{line.kind === 'tip' ? 'sending the tip…' : 'sending…'}</span>
      ) : (
        <span class="row wrap">
          <span class="chat-unsent">Not sure that it arrived.</span>
          <Button size="small" onClick={() => onRetry(line.key)} data-testid="pending-retry">
            Try again
          </Button>
          <Button size="small" look="ghost" onClick={() => onGiveUp(line.key)}>
            Drop it
          </Button>
        </span>
      )}
    </li>
  );
}

type ChatListProps = {
  feed: Feed;
  hostId: string | null;
  order: ChatOrder;
  onRetry: (line: PendingLine) => void;
  onGiveUp: (line: PendingLine) => void;
};

/** The line of an event, drawn once: a line does not change, and there are hundreds of them. */
function useDrawnLines(hostId: string | null, order: ChatOrder) {
  const drawn = useMemo(() => new WeakMap<SpokenEvent, VNode>(), [hostId, order]);
  const onPick = (line: SaidLine): void => {
    order.picked.value = line;
  };
  return (event: SpokenEvent): VNode => {
    const line = drawn.get(event) ?? (
      <ChatLine key={event.id} event={event} hostId={hostId} onPick={onPick} />
    );
    drawn.set(event, line);
    return line;
  };
}

/** Lines in order; follows the newest as long as nobody has scrolled back. */
export function ChatList({ feed, hostId, order, onRetry, onGiveUp }: ChatListProps) {
  const list = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const lineOf = useDrawnLines(hostId, order);
  const unheard = order.unheard.value;
  const lines = feed.lines.value.filter(
    ({ data }) => !('userId' in data) || !unheard.has(data.userId ?? ''),
  );
  const pending = feed.pending.value;
  const newestId = lines[lines.length - 1]?.id;

  useEffect(() => {
    const element = list.current;
    if (element && following) element.scrollTop = element.scrollHeight;
  }, [newestId, pending.length, following]);

  function onScroll(): void {
    const element = list.current;
    if (!element) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    setFollowing(left < followPixels);
  }

  return (
    <div class="chat-scroll">
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keys. */}
      <div
        ref={list}
        class="chat-list"
        role="log"
        aria-label="Chat"
        aria-live="polite"
        tabIndex={0}
        onScroll={onScroll}
        data-testid="chat-list"
      >
        {lines.length === 0 && pending.length === 0 && (
          <p class="chat-empty">Nobody has said anything yet. Say hello.</p>
        )}
        <ol>
          {lines.map(lineOf)}
          {pending.map((line) => (
            <Pending
              key={line.key}
              line={line}
              onRetry={() => onRetry(line)}
              onGiveUp={() => onGiveUp(line)}
            />
          ))}
        </ol>
      </div>
      {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: as above. */}
      <ChatLineMenu order={order} hostId={hostId} />
      {!following && (
        <button type="button" class="chat-newer" onClick={() => setFollowing(true)}>
          To the newest
        </button>
      )}
    </div>
  );
}

export function ChatComposer({ chat }: { chat: Chat }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <form
      class="chat-composer"
      onSubmit={(event) => {
        event.preventDefault();
        chat.submit();
        // The button has nothing to send any more; the next line is typed here.
        input.current?.focus();
      }}
    >
      <input
        ref={input}
        class="input"
        aria-label="Say something"
        placeholder="Say something"
        maxLength={messageCharsMax}
        autocomplete="off"
        enterkeyhint="send"
        value={chat.draft.value}
        onInput={(event) => {
          chat.draft.value = event.currentTarget.value;
        }}
        data-testid="chat-input"
      />
      <IconButton label="Send" type="submit" disabled={!chat.canSend.value} data-testid="chat-send">
        <SendIcon />
      </IconButton>
    </form>
  );
}

/** In the composer's place for somebody who is not logged in. */
export function ChatInvitation({ next }: { next: string }) {
  return (
    <div class="chat-invitation">
      <span class="soft">Log in to chat and tip.</span>
      <ButtonLink
        look="primary"
        size="small"
        href={`/login?next=${encodeURIComponent(next)}`}
        data-testid="chat-login"
      >
        Log in
      </ButtonLink>
    </div>
  );
}
