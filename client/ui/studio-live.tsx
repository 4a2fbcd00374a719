// On air: time, viewers, earnings, the end button; and beside it chat and tips.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Studio } from '../models/studio.ts';
import { useApp } from './app-context.ts';
import { Badge, LiveBadge } from './badge.tsx';
import { Button } from './button.tsx';
import { ChatComposer, ChatList } from './chat-panel.tsx';
import { Tokens } from './coin.tsx';
import { Dialog } from './dialog.tsx';
import { Segment } from './field.tsx';
import { formatCount, formatDuration, formatRupees } from './format.ts';
import { heldWords } from './held-words.ts';
import { EyeIcon, StopIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { RaidButton } from './raid-dialog.tsx';
import { StreamEditorDialog } from './stream-editor-dialog.tsx';
import { TipFeed } from './tip-feed.tsx';
import { useChatOrder } from './use-chat-order.ts';

const tickMs = 1_000;

/** When it began, by this machine's clock: one that is wrong still counts right what it has seen begin. */
function useStartMs(since: string | null): number | null {
  const { clock } = useApp();
  const sawItWait = useRef(false);
  const startMs = useRef<number | null>(null);
  if (since === null) sawItWait.current = true;
  else startMs.current ??= sawItWait.current ? clock.now() : Date.parse(since);
  return startMs.current;
}

function OnAirFor({ since }: { since: string | null }) {
  const { clock } = useApp();
  const startMs = useStartMs(since);
  const nowMs = useSignal(clock.now());
  useEffect(() => {
    const timer = setInterval(() => {
      nowMs.value = clock.now();
    }, tickMs);
    return () => clearInterval(timer);
  }, [clock, nowMs]);
  return (
    <span class="figure studio-time" role="timer" aria-label="On air for">
      {formatDuration(startMs === null ? 0 : nowMs.value - startMs)}
    </span>
  );
}

export function OnAirBar({ studio }: { studio: Studio }) {
  const { broadcast, earnings, tally } = studio;
  const asking = useSignal(false);
  const phase = broadcast.phase.value;
  const live = phase === 'live' || phase === 'ending';
  const earnedPaise = earnings.value.value?.earnedPaise;
  return (
    <div class="on-air" data-testid="on-air" data-phase={phase}>
      {live ? <LiveBadge /> : <Badge tone="warn">Starting</Badge>}
      <OnAirFor since={broadcast.stream.value?.startedAt ?? null} />
      <span class="on-air-fact figure" data-testid="studio-viewers">
        <EyeIcon size={18} /> {formatCount(broadcast.room.value?.viewers.value ?? 0)}
        <span class="sr-only"> watching</span>
      </span>
      <span class="on-air-fact" data-testid="studio-tokens">
        <Tokens amount={tally.value.tokens} />
      </span>
      <span
        class="on-air-earnings figure"
        data-testid="studio-earnings"
        data-paise={earnedPaise ?? ''}
      >
        <span class="faint">Earned in all</span>{' '}
        {earnedPaise === undefined ? '–' : formatRupees(earnedPaise)}
      </span>
      {phase === 'live' && broadcast.stream.value && <RaidButton stream={broadcast.stream.value} />}
      <Button
        disabled={!broadcast.stream.value}
        onClick={() => {
          const stream = broadcast.stream.peek();
          if (stream) studio.editor.open(stream);
        }}
        data-testid="edit-stream"
      >
        Change
      </Button>
      <StreamEditorDialog editor={studio.editor} />
      <Button
        look="danger"
        busy={phase === 'ending'}
        onClick={() => {
          asking.value = true;
        }}
        data-testid="end-stream"
      >
        <StopIcon /> End
      </Button>
      <Dialog
        title="End the stream?"
        open={asking.value}
        onClose={() => {
          asking.value = false;
        }}
        actions={
          <>
            <Button
              onClick={() => {
                asking.value = false;
              }}
            >
              Stay on air
            </Button>
            <Button
              look="primary"
              onClick={() => {
                asking.value = false;
                broadcast.end();
              }}
              data-testid="end-stream-confirm"
            >
              End it
            </Button>
          </>
        }
      >
        <p>Everybody who watches is told, and this stream cannot be started again.</p>
      </Dialog>
    </div>
  );
}

type Side = 'chat' | 'tips';

export function StudioSide({ studio }: { studio: Studio }) {
  const side = useSignal<Side>('chat');
  const room = studio.broadcast.room.value;
  const chat = studio.chat.value;
  const { tips } = studio.tally.value;
  const order = useChatOrder(studio.broadcast.stream.value?.id ?? null);
  if (!room || !chat) return null;
  return (
    <aside class="studio-side" aria-label="Chat and tips">
      <div class="studio-side-head">
        <Segment<Side>
          label="Chat or tips"
          value={side.value}
          onPick={(picked) => {
            side.value = picked;
          }}
          options={[
            { value: 'chat', label: 'Chat', testId: 'side-chat' },
            {
              value: 'tips',
              label: `Tips ${tips > 0 ? formatCount(tips) : ''}`,
              testId: 'side-tips',
            },
          ]}
        />
        {room.link.state.value === 'reconnecting' && <Badge tone="warn">Reconnecting</Badge>}
      </div>
      {side.value === 'tips' ? (
        <TipFeed feed={room.feed} />
      ) : (
        <>
          <ChatList
            feed={room.feed}
            hostId={studio.broadcast.stream.value?.performer.id ?? null}
            order={order}
            onRetry={(line) => chat.retry(line.key)}
            onGiveUp={(line) => chat.giveUp(line.key)}
          />
          <ChatComposer chat={chat} />
        </>
      )}
    </aside>
  );
}

export function BroadcastFault({ studio }: { studio: Studio }) {
  const { broadcast } = studio;
  const fault = broadcast.fault.value;
  const held = heldWords(broadcast.held.value);
  if (!fault) return held && <Notice tone="warn">Our staff have stepped in. {held}</Notice>;
  const refused = broadcast.room.value?.link.state.value === 'closed';
  return (
    <Notice tone="bad">
      {fault}{' '}
      {refused && (
        <button
          type="button"
          class="text-button"
          onClick={() => broadcast.room.peek()?.link.retry()}
        >
          Connect again
        </button>
      )}
    </Notice>
  );
}
