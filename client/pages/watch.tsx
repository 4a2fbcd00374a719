// Watch: one stream: its picture, who makes it, the chat, and tips.
import { useEffect } from 'preact/hooks';
import type { Me, Stream } from '#contract';
import type { PendingLine } from '../models/feed.ts';
import { openWatch } from '../models/open-watch.ts';
import { createPeopleApi } from '../models/people-api.ts';
import { createProfile } from '../models/profile-page.ts';
import { profileHref } from '../models/router.ts';
import type { Watch } from '../models/watch.ts';
import { useApp, useLife, useTitle } from '../ui/app-context.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Badge, LiveBadge } from '../ui/badge.tsx';
import { ButtonLink } from '../ui/button.tsx';
import { categoryFaces } from '../ui/category.ts';
import { ChatComposer, ChatInvitation, ChatList } from '../ui/chat-panel.tsx';
import { likelyCountry } from '../ui/countries.ts';
import { FollowButton } from '../ui/follow-button.tsx';
import { formatCount, formatDuration } from '../ui/format.ts';
import { EyeIcon } from '../ui/icons.tsx';
import { languageName } from '../ui/languages.ts';
import { Empty, Fault } from '../ui/notice.tsx';
import { PageSkeleton } from '../ui/page-skeleton.tsx';
import { Player } from '../ui/player.tsx';
import { RaidNotice } from '../ui/raid-notice.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import { StageSeatCard } from '../ui/stage-seat-card.tsx';
import { TipPanel } from '../ui/tip-panel.tsx';
import { useChatOrder } from '../ui/use-chat-order.ts';
import { WatchGate } from '../ui/watch-gate.tsx';
import { NotFoundPage } from './not-found.tsx';
import './watch.css';

function Tags({ stream }: { stream: Stream }) {
  const marks = [
    ...stream.tags.map((tag) => `#${tag}`),
    ...(stream.language ? [languageName(stream.language)] : []),
  ];
  if (marks.length === 0 && stream.contentClass === 'general') return null;
  return (
    <ul class="watch-tags" aria-label="Tags" data-testid="stream-tags">
      {stream.contentClass === 'mature' && (
        <li>
          <Badge tone="warn">Mature</Badge>
        </li>
      )}
      {marks.map((mark) => (
        <li key={mark}>
          <Badge>
            <bdi>{mark}</bdi>
          </Badge>
        </li>
      ))}
    </ul>
  );
}

/** Who makes the stream, with the way to their profile and to following them. */
function Host({ watch, stream }: { watch: Watch; stream: Stream }) {
  const app = useApp();
  const { performer } = stream;
  const model = useLife(
    () =>
      createProfile({
        who: performer.id,
        api: createPeopleApi(app.api.request),
        toasts: app.toasts,
      }),
    performer.id,
  );
  useEffect(() => void model.load(), [model]);
  const profile = model.value.value;
  const follows = profile?.relation?.follows === true;
  useEffect(() => {
    // Whoever follows from here on stands before no gate for followers any more.
    if (follows && watch.gate.gate.peek() === 'followers-only') watch.gate.tryAgain();
  }, [follows, watch]);
  const href = profileHref(performer.username);
  const name = profile?.displayName ?? performer.username;
  return (
    <>
      <Avatar name={name} size={46} url={profile?.avatarUrl ?? null} />
      <div class="watch-words">
        <h1 data-testid="stream-title">{stream.title}</h1>
        <p class="soft">
          <a class="watch-host" href={href} data-testid="watch-host">
            <bdi>{name}</bdi>
          </a>{' '}
          · {categoryFaces[stream.category].label}
        </p>
      </div>
      <div class="watch-follow">
        <FollowButton model={model} size="small" />
      </div>
      <Tags stream={stream} />
    </>
  );
}

function About({ watch, stream }: { watch: Watch; stream: Stream | null }) {
  if (!stream) {
    return (
      <div class="watch-about">
        <Skeleton width="60%" height="1.6rem" />
        <Skeleton width="40%" />
      </div>
    );
  }
  const viewers = watch.room.viewers.value || stream.viewers;
  const live = !watch.ended.value && stream.state === 'live';
  return (
    <div class="watch-about">
      <Host watch={watch} stream={stream} />
      <div class="watch-facts">
        {live ? <LiveBadge /> : <Badge>{watch.ended.value ? 'Ended' : 'Starting'}</Badge>}
        {live && (
          <span class="figure watch-viewers" data-testid="viewer-count" data-viewers={viewers}>
            <EyeIcon size={18} /> {formatCount(viewers)}
            <span class="sr-only"> watching</span>
          </span>
        )}
      </div>
    </div>
  );
}

const endWords = {
  performer: 'Thank you for being there.',
  staff: 'It was ended by our staff.',
  'media-lost': 'Nothing came from the performer any more.',
  'never-started': 'It never got on air.',
} as const;

function Ended({ watch, stream }: { watch: Watch; stream: Stream | null }) {
  const led = watch.raid.goal.value;
  const reason = watch.room.endReason.value ?? stream?.endReason;
  const lasted =
    stream?.startedAt && stream.endedAt
      ? formatDuration(Date.parse(stream.endedAt) - Date.parse(stream.startedAt))
      : null;
  return (
    <div class="watch-ended" data-testid="stream-ended">
      <Empty
        title="This stream has ended"
        action={
          <>
            {led && (
              <ButtonLink
                look="primary"
                href={`/watch/${led.toStreamId}`}
                data-testid="ended-raid-goal"
              >
                Go on with {led.performer.username}
              </ButtonLink>
            )}
            <ButtonLink look={led ? 'quiet' : 'primary'} href="/">
              See who is live
            </ButtonLink>
          </>
        }
      >
        <p>
          {reason ? endWords[reason] : 'Thank you for being there.'}
          {lasted && ` It lasted ${lasted}.`}
        </p>
      </Empty>
    </div>
  );
}

function ChatSide({
  watch,
  stream,
  user,
}: {
  watch: Watch;
  stream: Stream | null;
  user: Me | null;
}) {
  const { chat, tipBar, room } = watch;
  const next = `/watch/${watch.streamId}`;
  const deal = (line: PendingLine) => (line.kind === 'tip' ? tipBar : chat);
  const order = useChatOrder(watch.streamId);
  return (
    <aside class="watch-chat" aria-label="Chat">
      <h2 class="watch-chat-title">
        Chat
        {room.link.state.value === 'reconnecting' && (
          <span class="faint" role="status">
            reconnecting…
          </span>
        )}
      </h2>
      <ChatList
        feed={room.feed}
        hostId={stream?.performer.id ?? null}
        order={order}
        onRetry={(line) => deal(line).retry(line.key)}
        onGiveUp={(line) => deal(line).giveUp(line.key)}
      />
      {!watch.ended.value && (user ? <ChatComposer chat={chat} /> : <ChatInvitation next={next} />)}
    </aside>
  );
}

function WatchStream({ streamId, user }: { streamId: string; user: Me | null }) {
  const app = useApp();
  // A link may ask for HLS from the start, for a network on which WebRTC is known to fail.
  const choice = app.router.search.peek().get('transport') === 'hls' ? 'hls' : 'live';
  const watch = useLife(
    () => openWatch(app, streamId, choice, likelyCountry(navigator.language)),
    streamId,
  );
  const stream = watch.stream.value.value;
  const { fault } = watch.stream;
  useTitle(stream ? `${stream.title} · ${stream.performer.username}` : 'Watch');
  if (watch.room.link.refusal.value === 'not-found') return <NotFoundPage />;
  if (!stream && fault.value) {
    return (
      <main class="page" id="main" tabIndex={-1}>
        <Fault alone text={fault.value} onRetry={watch.refresh} />
      </main>
    );
  }
  const gate = watch.ended.value ? null : watch.gate.gate.value;
  const own = user !== null && stream?.performer.id === user.id;
  return (
    <main class="page page-watch" id="main" tabIndex={-1} data-testid="page-watch">
      <div class="watch-main">
        <div class="watch-stage">
          {gate ? (
            <WatchGate gate={watch.gate} stream={stream} isMember={user !== null} />
          ) : (
            <Player watch={watch} />
          )}
          {watch.ended.value && <Ended watch={watch} stream={stream} />}
        </div>
        <RaidNotice raid={watch.raid} />
        {watch.seat.state.value !== 'none' && (
          <StageSeatCard seat={watch.seat} host={stream?.performer.username ?? 'The performer'} />
        )}
        <About watch={watch} stream={stream} />
      </div>
      {!watch.ended.value && !gate && !own && (
        <div class="watch-tip">
          <TipPanel
            bar={watch.tipBar}
            performer={stream?.performer.username ?? 'the performer'}
            next={`/watch/${streamId}`}
            canTip={user !== null}
          />
        </div>
      )}
      {!gate && <ChatSide watch={watch} stream={stream} user={user} />}
    </main>
  );
}

export function WatchPage({ streamId }: { streamId: string }) {
  const { session } = useApp();
  // The edge places guests and members differently, so the ticket waits until it is known who watches.
  if (session.restoring.value) return <PageSkeleton />;
  const user = session.user.value;
  return <WatchStream key={`${streamId} ${user?.id}`} streamId={streamId} user={user} />;
}
